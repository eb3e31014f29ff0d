// What a row is given: systems to start, folders, and a way to state a result beside its floor, its peers and its aim.

import { workFolder } from "./programs.mjs";
import { Skip } from "./scope.mjs";
import { ratioByRound } from "./stats.mjs";

const FLOOR = "relay";
const OURS = "muster";
const TITLES = { relay: "bare relay", fixed: "fixed Worker" };

export class Bench {
  /** `systems`: adapters by name; `without`: names to leave out; `binaries`: {owner, probe}. */
  constructor({ systems, binaries, quick, without = [], say }) {
    Object.assign(this, { systems, binaries, quick, without, say });
    this.skips = new Map();
  }

  folder(scope) {
    return workFolder(scope);
  }

  /** Starts one system, or gives null and remembers why not. `program` is its program, or a list of them for Muster. */
  async start(scope, name, program) {
    if (this.without.includes(name)) return this.skipped(name, "left out");
    try {
      return await this.systems[name].start(scope, program, this);
    } catch (error) {
      if (!(error instanceof Skip)) throw new Error(`${name} did not start: ${error.message}`, { cause: error });
      return this.skipped(name, error.message);
    }
  }

  /** Starts each system with a program of its own: [{name, system, program}] of those that are there. */
  async startAll(scope, names, makeProgram) {
    const started = [];
    for (const name of names) {
      const program = makeProgram(this.folder(scope), name);
      const system = await this.start(scope, name, program);
      if (system) started.push({ name, system, program });
    }
    return started;
  }

  skipped(name, reason) {
    if (!this.skips.has(name)) this.say(`  (${name}: ${reason})`);
    this.skips.set(name, reason);
    return null;
  }

  /**
   * States a result. Either `rounds` ({name: [figure of each round]}) with `value` to make one figure of them, or `values`.
   * Aims: {atMost | atLeast} of the figure itself, {ratioTo, atMost | atLeast}, {below: name}, {above: name}.
   */
  result({ what, unit, rounds = {}, values, value, how, note = "", aims, floor = FLOOR }) {
    const figures = values ?? Object.fromEntries(Object.entries(rounds).map(([name, list]) => [name, value(list)]));
    const against = (name) => {
      if (figures[OURS] === undefined || figures[name] === undefined) return NaN;
      if (rounds[OURS]?.length && rounds[name]?.length) return ratioByRound(rounds[OURS], rounds[name]);
      return figures[OURS] / figures[name];
    };
    const judged = aims.map((aim) => judge(aim, figures, against));
    const ratio = against(aims.find(({ ratioTo }) => ratioTo)?.ratioTo ?? floor);
    return { what, unit, floor, figures, ratio, how, note, aims: judged, rounds };
  }
}

/** {text, met, by}: met is undefined when there is nothing to compare with; `by` says by how much. */
function judge(aim, figures, against) {
  const figure = figures[OURS];
  if (aim.below || aim.above) {
    const name = aim.below ?? aim.above;
    const text = `${aim.below ? "below" : "above"} ${name}`;
    const ratio = against(name);
    if (!Number.isFinite(ratio)) return { text, met: undefined, by: "not measured" };
    const met = aim.below ? ratio < 1 : ratio > 1;
    return { text, met, by: `${ratio.toFixed(2)} of ${name}` };
  }
  const measured = aim.ratioTo ? against(aim.ratioTo) : figure;
  const limit = aim.atMost ?? aim.atLeast;
  const sign = aim.atMost !== undefined ? "≤" : "≥";
  const text = aim.ratioTo ? `${sign} ${limit} × ${TITLES[aim.ratioTo] ?? aim.ratioTo}` : `${sign} ${limit.toLocaleString("en")}`;
  if (!Number.isFinite(measured)) return { text, met: undefined, by: "not measured" };
  const met = aim.atMost !== undefined ? measured <= limit : measured >= limit;
  const percent = Math.round(Math.abs(limit ? measured / limit - 1 : measured) * 100);
  return { text, met, by: met ? "" : limit ? `missed by ${percent} %` : `${measured}` };
}
