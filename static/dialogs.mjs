//! Dialogs, confirmations, copying and notices: behaviour by attribute, for what is on the page and for what is swapped in.
//! `data-open="#dialog"` · `data-close` · `data-modal` (opened when swapped in) · `hx-confirm` with `data-yes` ·
//! `data-copy="#code"` · `data-dismiss`.

export function wireDialogs() {
  document.addEventListener("click", clicked);
  document.addEventListener("htmx:after:swap", openSwapped);
  document.addEventListener("htmx:confirm", confirmed);
  document.addEventListener("htmx:after:request", closeWhenDone);
  document.addEventListener("keydown", submitted);
}

function clicked({ target }) {
  const control = target.closest("[data-open], [data-close], [data-copy], [data-dismiss]");
  if (!control) return;
  const { open, close, copy, dismiss } = control.dataset;
  if (open) {
    control.closest("[popover]")?.hidePopover();
    document.querySelector(open)?.showModal();
  }
  if (close !== undefined) control.closest("dialog")?.close();
  if (copy) copyText(control, document.querySelector(copy)?.textContent ?? "");
  if (dismiss !== undefined) control.closest(".notice")?.remove();
}

async function copyText(button, text) {
  const label = button.querySelector("span") ?? button;
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Select it and copy";
    getSelection()?.selectAllChildren(document.querySelector(button.dataset.copy));
  }
}

function openSwapped() {
  const dialog = document.querySelector("dialog[data-modal]:not([open])");
  if (!dialog) return focusField();
  dialog.addEventListener("close", () => dialog.remove(), { once: true });
  dialog.showModal();
}

/** A refusal that names a field puts the person there. */
function focusField() {
  const notice = document.querySelector('.notice[data-field]:not([data-field=""])');
  if (!notice) return;
  const field = notice.closest("form")?.elements.namedItem(notice.dataset.field);
  if (field instanceof HTMLElement) field.focus();
  notice.dataset.field = "";
}

function confirmed(event) {
  const { ctx, issueRequest, dropRequest } = event.detail;
  if (!ctx.confirm) return;
  event.preventDefault();
  const dialog = document.getElementById("confirm");
  dialog.querySelector("#confirm-text").textContent = ctx.confirm;
  const yes = dialog.querySelector("#confirm-yes");
  yes.textContent = ctx.sourceElement.dataset.yes ?? "Go on";
  dialog.querySelector("#confirm-title").textContent = `${yes.textContent}?`;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => (dialog.returnValue === "yes" ? issueRequest() : dropRequest()), { once: true });
  dialog.showModal();
}

/** A form in a dialog closes it when it was taken; a menu closes when its entry did something. */
function closeWhenDone({ detail: { ctx } }) {
  if (ctx.response.status >= 400) return;
  const source = ctx.sourceElement;
  if (source.matches("form[hx-post]")) source.closest("dialog")?.close();
  source.closest("[popover]:not(#account-menu)")?.hidePopover();
}

/** Ctrl+Enter sends the form that the person is in. */
function submitted(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form[hx-post]");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
}
