//! Where a guest link leads: takes its secret from behind the `#`, where neither logs nor other sites see it, into the form.

take();
window.addEventListener("hashchange", take); // the link, opened in a tab that shows this page already

function take() {
  const secret = location.hash.slice(1);
  document.getElementById("guest-link").value = secret;
  document.getElementById("no-link").hidden = secret !== "";
  document.getElementById("guest-form").hidden = secret === "";
  // It stands in the form now, and not in the browser's history.
  if (secret) history.replaceState(null, "", location.pathname);
}
