//! The new-session dialog: each runner has its own agents and its own default folder.

export function wireNewSession() {
  document.addEventListener("change", ({ target }) => {
    if (target.matches('#new-session input[name="runner"]')) show(target);
  });
}

function show(place) {
  for (const agents of document.querySelectorAll("#new-session [data-agents-of]")) {
    const isOfPlace = agents.dataset.agentsOf === place.value;
    agents.hidden = agents.disabled = !isOfPlace;
    // One name for all lists, so one choice among them all: the list that shows needs one of its own.
    if (isOfPlace && !agents.querySelector(":checked")) agents.querySelector("input:not([disabled])").checked = true;
  }
  document.getElementById("session-cwd").placeholder = place.dataset.home;
}
