// Results as a table on a terminal and as bench/RESULTS.md. Figures are rounded for reading; the JSON files hold them all.

const COLUMNS = [
  ["muster", "Muster"],
  ["floor", "floor"],
  ["ratio", "ratio"],
  ["sshx", "sshx"],
  ["wetty", "wetty"],
  ["terminado", "terminado"],
  ["tmux", "tmux"],
];

/** Three significant digits, thousands separated. */
export function figure(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
}

const verdict = (aims) =>
  aims.map(({ text, met, by }) => `${text}: ${met === undefined ? by : met ? "met" : `**missed** (${by.replace("missed by", "by")})`}`).join("; ");

const cells = (result) => [
  `${result.what} (${result.unit})`,
  ...COLUMNS.map(([key]) => figure(key === "ratio" ? result.ratio : result.figures[key === "floor" ? result.floor : key])),
  verdict(result.aims) || "–",
];

const header = ["what", ...COLUMNS.map(([, title]) => title), "aim"];

/** Padded columns. */
export function textTable(results) {
  const rows = [header, ...results.map((result) => cells(result).map((cell) => cell.replaceAll("**", "")))];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => [...row[column]].length)));
  const line = (row) => row.map((cell, column) => cell + " ".repeat(widths[column] - [...cell].length)).join("  ").trimEnd();
  return rows.map(line).join("\n");
}

const markdownRow = (row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

function markdownTable(results) {
  return [markdownRow(header), markdownRow(header.map((_, i) => (i && i <= COLUMNS.length ? "--:" : "---"))), ...results.map((each) => markdownRow(cells(each)))].join("\n");
}

const list = (lines) => lines.map((line) => `- ${line}`).join("\n");

/** `groups`: [{title, date, machine, versions, skips, results, missed}; `missed` is shown when an aim is], in the order of the rows. */
export function markdown(groups, { method, peers }) {
  const { machine, versions } = groups.at(-1);
  const parts = [
    "# Measured",
    "Written by `npm run bench`; do not edit. The floor is the bare relay (for pages, a fixed Worker). The ratio is Muster's figure over the " +
      "floor's (over tmux's, where tmux is the aim), taken round by round in one run; where rounds were taken, a figure is their median.",
    "## Machine and versions",
    list([
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}`,
      `workerd ${versions.workerd}, miniflare ${versions.miniflare}, Node ${versions.node}, ${versions.rustc}`,
      `beside: ${Object.entries(peers).map(([name, version]) => `${name} ${version}`).join(", ")}, ${versions.tmux}`,
    ]),
    "## Method",
    method,
  ];
  for (const group of groups) {
    parts.push(`## ${group.title[0].toUpperCase()}${group.title.slice(1)}`, markdownTable(group.results));
    const notes = [...new Set(group.results.map(({ how }) => how))].map((how) => `${how}.`);
    for (const { what, note } of group.results) if (note) notes.push(`${what}: ${note}.`);
    const isMissed = group.results.some(({ aims }) => aims.some(({ met }) => met === false));
    if (isMissed && group.missed) notes.push(`**Why missed, and what would close it:** ${group.missed}`);
    for (const [name, reason] of Object.entries(group.skips)) notes.push(`${name} is missing: ${reason}.`);
    notes.push(`Taken ${group.date.slice(0, 16).replace("T", " ")} UTC at ${group.versions.git}, ${group.machine.scheduler}, load ${group.machine.load} before.`);
    parts.push(list(notes));
  }
  return `${parts.join("\n\n")}\n`;
}
