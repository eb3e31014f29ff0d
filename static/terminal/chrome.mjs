//! What stands around a terminal: the liveness line, who drives, notes, and the banner that says what happened and what to do.
//! Words and shapes only; it decides nothing. Every time in it is by the hub's clock.

import { hubNow, span } from "../ages.mjs";
import { IN_DOUBT, mayAnswer, mayDrive, refusalOf, standingOf, whyOf } from "./right.mjs";
import { allowSoftKeys } from "./soft-keys.mjs";

const byId = (id) => document.getElementById(id);
const NOTE_MS = 8_000;
const NOT_SHARED = "This session is no longer shared with you.";

export class Chrome {
  #frame;
  #names;
  #client = null;
  #outputAt = 0;
  #runner = { online: true, since: 0 };
  #closed = null;
  #exit = null;
  #refused = ""; // why it cannot be attached at all
  #isGone = false; // not shared any more
  #standing = {}; // what this viewer may do, and whether their keys go anywhere now
  #people = null; // until the hub names them
  #kept = 0;
  #noteTimer = null;

  constructor(frame) {
    this.#frame = frame;
    const { agent, runner, owner } = frame.dataset;
    this.#names = { agent, runner, owner: owner || "The owner" };
    setInterval(() => this.#tick(), 1_000);
  }

  /** Buttons act on this client. */
  control(client) {
    this.#client = client;
  }

  attached({ online, status, last_output_ms: at }) {
    this.#closed = null;
    this.#refused = "";
    this.#runner = { online, since: this.#runner.online === online ? this.#runner.since : hubNow() };
    this.status(status, at);
  }

  live() {
    this.#frame.dataset.live = "true";
    this.#banner();
  }

  size({ cols, rows }) {
    byId("line-size").textContent = `${cols} × ${rows}`;
  }

  hop({ hub, runner }) {
    if (hub !== undefined) byId("line-hub").textContent = `hub ${milliseconds(hub)}`;
    if (runner !== undefined) byId("line-runner").textContent = `${this.#names.runner} ${milliseconds(runner)}`;
  }

  /** Without a time it came just now. */
  output(at = hubNow()) {
    if (at > this.#outputAt) this.#outputAt = at;
  }

  status(report, at) {
    this.output(at ?? 0);
    const ended = report.exit_code !== undefined || report.exit_signal !== undefined;
    this.#exit = ended ? report : null;
    this.#banner();
  }

  runner({ online, since_ms: since }) {
    this.#runner = { online, since };
    if (!online) byId("line-runner").textContent = `${this.#names.runner} away`;
    this.#banner();
  }

  kept(bytes) {
    this.#kept = bytes;
    if (this.#closed) this.#banner();
  }

  closed(what, code) {
    this.#closed = { what, code, at: this.#closed?.at ?? hubNow() };
    this.#frame.dataset.live = "false";
    byId("line-hub").textContent = what === "backoff" || what === "now" ? "hub: reconnecting" : "hub: closed";
    this.#banner();
  }

  error({ code, message }) {
    if (code !== "not_found" && code !== "ended") return this.note(message);
    this.#refused = message;
    this.#banner();
  }

  /** The session is not shared with this viewer any more; the connection does not come back. */
  gone() {
    this.#isGone = true;
    byId("driver-note").replaceChildren();
    this.#banner();
  }

  /** What this viewer may do. A change is said, where it is read aloud. */
  standing({ right, types }) {
    const before = this.#standing;
    if (right === before.right && types === before.types) return;
    this.#standing = { right, types };
    allowSoftKeys(byId("terminal-keys"), { shown: mayAnswer(right), usable: types });
    if (this.#isGone) return;
    this.#driver();
    if (before.right === undefined) return; // the page says so from the start
    if (right !== before.right) this.note(whyOf(right, this.#names.owner));
    else if (types) this.note(`${standingOf(right, types)}.`);
  }

  /** Why a key went nowhere. */
  refuses(isReachable) {
    this.note(this.#isGone ? NOT_SHARED : refusalOf(this.#standing.right, this.#names.owner, isReachable));
  }

  /** What was kept may not be sent now. */
  dropped({ unsent }) {
    const what = unsent > 0 ? "What you typed last was not sent and is dropped." : IN_DOUBT;
    this.note(`${what} ${whyOf(this.#standing.right, this.#names.owner)}`);
  }

  /** A word that passes. */
  note(text) {
    byId("line-note").textContent = text;
    clearTimeout(this.#noteTimer);
    if (text) this.#noteTimer = setTimeout(() => this.note(""), NOTE_MS);
  }

  find() {
    byId("terminal-search").hidden = false;
    byId("terminal-find").focus();
  }

  people(people) {
    this.#people = people;
    this.#driver();
  }

  /** Who drives, and the button that changes it; for who may not, what they may do. */
  #driver() {
    const { right, types } = this.#standing;
    const may = mayDrive(right);
    if (may && !this.#people) return;
    const people = this.#people ?? [];
    // The hub takes the seat of who may not sit there; its word on that may come later.
    const driver = people.find((person) => person.drives && (may || !person.you));
    const text = whoDrives(driver, people.find((person) => person.you));
    this.#frame.dataset.drives = driver?.you ? "you" : driver ? "other" : "nobody";
    const note = byId("driver-note");
    const hadFocus = note.contains(document.activeElement);
    const label = document.createElement("span");
    label.textContent = may ? text : [standingOf(right, types), ...(driver ? [text] : [])].join(" · ");
    if (!may) {
      label.title = whyOf(right, this.#names.owner);
      note.replaceChildren(label);
      if (hadFocus) this.#frame.focus(); // the button that had it is gone
      return;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = driver?.you ? "Release" : "Drive";
    button.title = driver?.you ? "Give keyboard and size back" : "Take keyboard and size";
    button.addEventListener("click", () => (driver?.you ? this.#client.release() : this.#client.drive()));
    note.replaceChildren(label, button);
    if (hadFocus) button.focus();
  }

  #tick() {
    const output = byId("line-output");
    output.textContent = this.#outputAt ? `last output ${span(hubNow() - this.#outputAt)} ago` : "";
    if (this.#closed || !this.#runner.online) this.#banner();
  }

  /** The most serious of what holds. */
  #banner() {
    if (this.#isGone) return this.#show(NOT_SHARED, "What you saw last stays here.");
    const restart = mayDrive(this.#standing.right) ? { text: "Restart", does: () => this.#restart() } : undefined;
    if (this.#refused) {
      const why = byId(`tab-${this.#frame.dataset.terminal}`)?.dataset.end ?? "";
      return this.#show(this.#refused, why, why ? restart : undefined);
    }
    const kept = this.#kept > 0 ? " What you typed is kept and sent when it is back." : "";
    const { what, code, at } = this.#closed ?? {};
    if (what === "sign_in") return this.#show("Signed out.", "Sign in again to go on where you were.", { href: "/", text: "Sign in" });
    if (what === "never") return this.#show("The hub closed this connection.", `It will not take it again (code ${code}). Reload the page.`);
    if (this.#closed && hubNow() - at > 2_000) return this.#show("Connection lost.", `Trying again.${kept}`, undefined, at);
    if (this.#exit) {
      return this.#show(`${this.#names.agent} ${howItEnded(this.#exit)}.`, "What it printed stays here.", restart);
    }
    if (!this.#runner.online) {
      const text = `This is the screen as the hub last saw it; the agent may be working on.${kept}`;
      return this.#show(`${this.#names.runner} is away.`, text, undefined, this.#runner.since);
    }
    this.#hide();
  }

  #restart() {
    document.querySelector(`#panel [hx-post$="/terminals/${this.#frame.dataset.terminal}/restart"]`)?.click();
  }

  #hide() {
    byId("terminal-overlay").hidden = true;
  }

  /** `since` counts up beside the words, unsaid: a live region must not speak each second. */
  #show(title, text, action, since) {
    const overlay = byId("terminal-overlay");
    const key = title + text + (action?.text ?? "");
    if (overlay.hidden || overlay.dataset.key !== key) {
      const strong = document.createElement("strong");
      strong.textContent = title;
      const age = document.createElement("span");
      age.className = "hint";
      age.ariaHidden = "true";
      const paragraph = document.createElement("p");
      paragraph.append(strong, ` ${text} `, age);
      overlay.replaceChildren(paragraph, ...(action ? [actionElement(action)] : []));
      overlay.dataset.key = key;
      overlay.hidden = false;
    }
    overlay.querySelector(".hint").textContent = since ? span(hubNow() - since) : "";
  }
}

function actionElement({ text, href, does }) {
  const element = document.createElement(href ? "a" : "button");
  element.className = "button";
  element.textContent = text;
  if (href) element.href = href;
  else {
    element.type = "button";
    element.addEventListener("click", does);
  }
  return element;
}

function whoDrives(driver, me) {
  if (!driver) return "Nobody drives";
  if (driver.you) return "You drive";
  return driver.name === me?.name ? "You drive in another tab" : `${driver.name} drives`;
}

function howItEnded({ exit_code: code, exit_signal: signal }) {
  if (signal !== undefined) return `was ended by signal ${signal}`;
  return code === 0 ? "ended well" : `ended with code ${code}`;
}

const milliseconds = (ms) => (ms < 10 ? `${Math.max(0.1, ms).toFixed(1)} ms` : `${Math.round(ms)} ms`);
