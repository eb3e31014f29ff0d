//! Starts what every page has: ages, keys, dialogs, and an eye on the page's socket.

import { startAges } from "./ages.mjs";
import { wireDialogs } from "./dialogs.mjs";
import { wireKeys } from "./keys.mjs";
import { watchLive } from "./live.mjs";
import { wireNewSession } from "./new-session.mjs";

startAges();
wireDialogs();
wireKeys();
watchLive();
wireNewSession();
wirePreferences();

/** A choice shows at once, here and in every control that stands for it; the hub keeps it for the next page. */
function wirePreferences() {
  document.addEventListener("change", ({ target }) => {
    if (target.name === "shortcuts") document.body.dataset.shortcuts = target.checked ? "on" : "off";
    if (target.name !== "theme") return;
    document.documentElement.dataset.theme = target.value;
    for (const input of document.querySelectorAll(`input[name="theme"][value="${CSS.escape(target.value)}"]`)) input.checked = true;
  });
}
