//! What a viewer may do with a terminal, as crates/protocol/src/right.rs has it, and the words for it. Pure.
//!
//! The hub decides on each message; this only keeps the page from promising what the hub will refuse.

/** Sent, and never acknowledged. */
export const IN_DOUBT = "What you typed last may not have arrived. Look before you type it again.";

/** Each has all that the one before it has. */
const RIGHTS = ["viewer", "prompter", "approver", "driver", "owner"];

/** The right of a word: none comes from a hub that does not know of rights, and one that is not known may only watch. */
export function rightOf(word) {
  if (word === undefined) return "owner";
  return RIGHTS.includes(word) ? word : "viewer";
}

/** Whether it lets a person type and have the size at any time. */
export const mayDrive = (right) => RIGHTS.indexOf(right) >= RIGHTS.indexOf("driver");

/** Whether it lets a person answer an agent that asks. */
export const mayAnswer = (right) => RIGHTS.indexOf(right) >= RIGHTS.indexOf("approver");

/** What one viewer of one terminal may do at this moment, by what the hub said last. */
export class Standing {
  isAttached = false; // on the socket at hand
  isOnline = true; // the runner
  isAsked = false; // the agent waits for an answer

  constructor(right) {
    this.right = right;
  }

  get mayDrive() {
    return mayDrive(this.right);
  }

  /** Whether keys go anywhere. An answer is one to the question that stands, so it is never kept for later. */
  get mayType() {
    return this.mayDrive || (mayAnswer(this.right) && this.isAsked && this.isReachable);
  }

  get isReachable() {
    return this.isAttached && this.isOnline;
  }
}

/** What they do here, beside the name of who drives; `types` while an agent waits for their keys. */
export function standingOf(right, types) {
  if (right === "approver") return types ? "The agent asks: your keys answer it" : "You answer when the agent asks";
  return right === "prompter" ? "You watch and prompt" : "You watch";
}

/** Who lets them do what. */
export function whyOf(right, owner) {
  const shared = `${owner} shared this session with you`;
  const words = {
    viewer: `You watch: ${shared} to watch.`,
    prompter: `You watch and prompt: ${shared} to do that.`,
    approver: `You watch, prompt and answer the agent when it asks: ${shared} to do that.`,
    driver: `You may drive: ${shared} to do that.`,
    owner: "This session is yours.",
  };
  return words[right];
}

/** Why a key went nowhere. An approver's is not kept for later: it would answer another question. */
export function refusalOf(right, owner, isReachable) {
  if (right !== "approver") return whyOf(right, owner);
  if (!isReachable) return "The agent is out of reach, and an answer is not kept. Type it when it is back.";
  return "Your keys answer the agent when it asks, and now it does not.";
}
