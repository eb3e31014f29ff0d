//! The session page: starts the terminal in front, and minds the prompt box.

import { Chrome } from "./terminal/chrome.mjs";
import { TerminalClient } from "./terminal/client.mjs";
import { socketAddress } from "./terminal/connection.mjs";
import { rightOf } from "./terminal/right.mjs";
import { wireSearch } from "./terminal/search-box.mjs";
import { drivesAtOnce } from "./terminal/sizing.mjs";
import { wireSoftKeys } from "./terminal/soft-keys.mjs";
import { View } from "./terminal/view.mjs";

startTerminal();
mindComposer();
wirePromptEditing();

function startTerminal() {
  const frame = document.querySelector("#terminal[data-terminal]");
  if (!frame) return;
  const { terminal, agent, runner, screenReader, hub, right, guest } = frame.dataset;
  const chrome = new Chrome(frame);
  const makeView = (handlers) => {
    const view = new View(document.getElementById("screen"), handlers, {
      screenReader: screenReader === "on",
      label: `Terminal of ${agent} on ${runner}. F6 leaves it.`,
    });
    wireSoftKeys(document.getElementById("terminal-keys"), view);
    wireSearch(document.getElementById("terminal-search"), view);
    return view;
  };
  const drive = drivesAtOnce((query) => matchMedia(query).matches);
  // Whose page does not say what its viewer may do lets them watch until the hub says it.
  const shared = hub ? { page: location.pathname, right: rightOf(right ?? "viewer"), isGuest: guest !== undefined } : null;
  chrome.control(new TerminalClient({ terminal: Number(terminal), url: socketAddress(location.href, hub), drive, shared, chrome, makeView }));
}

/** The box empties when the hub has the prompt, not before; the key makes sending it twice queue one. */
function mindComposer() {
  const composer = document.getElementById("composer");
  if (!composer) return;
  const key = document.getElementById("prompt-key");
  const text = document.getElementById("prompt-text");
  const renew = () => {
    key.value = crypto.randomUUID();
  };
  renew();
  text.addEventListener("input", renew);
  let sent = "";
  composer.addEventListener("submit", () => {
    sent = text.value;
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== composer || ctx.response.status >= 400) return;
    if (text.value === sent) text.value = ""; // else the next prompt is being written already
    renew();
  });
}

function wirePromptEditing() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-edit-prompt]");
    if (!button) return;
    document.getElementById("edit-prompt-form").setAttribute("hx-post", `/prompts/${button.dataset.editPrompt}/edit`);
    document.getElementById("edit-prompt-text").value = button.dataset.text;
    document.getElementById("edit-prompt").showModal();
  });
}
