//! The box that finds text in the terminal.

export function wireSearch(box, view) {
  const field = box.querySelector("input");
  const close = () => {
    box.hidden = true;
    view.find("");
    view.focus();
  };
  box.addEventListener("click", (event) => {
    const does = event.target.closest("[data-find]")?.dataset.find;
    if (does === "close") close();
    else if (does) view.find(field.value, does === "previous");
  });
  field.addEventListener("input", () => view.find(field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") view.find(field.value, event.shiftKey);
    else if (event.key === "Escape") close();
  });
}
