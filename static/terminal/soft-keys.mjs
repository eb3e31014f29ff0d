//! The row of keys that a phone's keyboard lacks.

const SEQUENCES = { escape: "\x1b", tab: "\t", interrupt: "\x03", enter: "\r" };
const ARROWS = { up: "A", down: "B", right: "C", left: "D" };

/** Wires the toolbar to a view. */
export function wireSoftKeys(toolbar, view) {
  // A press must not take the focus from the terminal: that would close the phone's keyboard.
  toolbar.addEventListener("pointerdown", (event) => event.preventDefault());
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-key]");
    if (!button) return;
    const key = button.dataset.key;
    if (key === "control") return hold(button, view);
    view.type(SEQUENCES[key] ?? view.arrow(ARROWS[key]));
  });
}

/** Shows the toolbar to who may ever type, and lets it act while they may. */
export function allowSoftKeys(toolbar, { shown, usable }) {
  toolbar.hidden = !shown;
  for (const button of toolbar.querySelectorAll("[data-key]")) button.disabled = !usable;
}

function hold(button, view) {
  const held = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", String(!held));
  view.holdControl(held ? null : () => button.setAttribute("aria-pressed", "false"));
}
