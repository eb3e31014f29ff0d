//! The page that waits for a runner: says so when it has dialled in. The strip above brings the news.

document.addEventListener("htmx:after:swap", () => {
  const listening = document.getElementById("listening");
  const connected = document.getElementById("connected");
  if (!listening || !connected.hidden) return;
  const cell = document.getElementById(`runner-${listening.dataset.runner}`);
  if (!cell || cell.dataset.status === "offline") return;
  listening.textContent = "It is connected.";
  connected.hidden = false;
});
