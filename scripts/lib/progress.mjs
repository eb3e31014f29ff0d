// Short progress lines with elapsed time: what a person sees while minutes pass.
//
// Everything goes to stderr, so that a script's stdout stays for its result.

const tty = Boolean(process.stderr.isTTY) && !process.env.CI;
const colour = tty && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);

export const green = (text) => paint("32", text);
export const red = (text) => paint("31", text);
export const dim = (text) => paint("2", text);
export const bold = (text) => paint("1", text);

export const say = (text = "") => process.stderr.write(`${text}\n`);

/** 0.4s, 12s, 3m05s */
export function elapsed(sinceMs) {
  const seconds = (Date.now() - sinceMs) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.round(seconds)}s`;
  return `${Math.floor(seconds / 60)}m${String(Math.floor(seconds % 60)).padStart(2, "0")}s`;
}

/** An error whose message is all that a person needs: printed without a stack. */
export class Plain extends Error {}

/** Runs `work` under a title; a live clock on a terminal, a line now and then in a log. */
export async function step(title, work) {
  const start = Date.now();
  const clear = tty ? "\r\x1b[K" : "";
  if (tty) process.stderr.write(`  ${title} …`);
  else say(`  ${title} …`);
  const tick = setInterval(
    () => {
      if (tty) process.stderr.write(`${clear}  ${title} … ${dim(elapsed(start))}`);
      else say(`  ${title} … ${elapsed(start)}`);
    },
    tty ? 1000 : 60_000,
  );
  try {
    const result = await work();
    process.stderr.write(`${clear}${green("✓")} ${title} ${dim(elapsed(start))}\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${clear}${red("✗")} ${title} ${dim(elapsed(start))}\n`);
    throw error;
  } finally {
    clearInterval(tick);
  }
}

/** A mistyped option is the person's to mend, not this program's. */
const isPlain = (error) => error instanceof Plain || error?.code?.startsWith("ERR_PARSE_ARGS_");

/** Runs a script's main function; a Plain error ends it with its message only. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    say(`\n${red("✗")} ${isPlain(error) ? error.message : (error?.stack ?? error)}`);
    process.exitCode = 1;
  }
}
