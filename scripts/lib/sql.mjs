// Splitting a migration into statements, as D1 takes one at a time. Knows quotes, comments and the bodies of triggers.

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|;|[A-Za-z_]+|[\s\S]/g;

export function splitStatements(sql) {
  const statements = [];
  let text = "";
  let words = [];
  let depth = 0; // BEGIN and CASE of a trigger's body that are still open: their semicolons do not end the statement
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token.startsWith("--") || token.startsWith("/*")) continue;
    if (token === ";" && depth === 0) {
      if (text.trim()) statements.push(text.trim());
      [text, words] = ["", []];
      continue;
    }
    text += token;
    if (!/^[A-Za-z_]/.test(token)) continue;
    const word = token.toUpperCase();
    if (words.length < 4) words.push(word);
    if (!isTrigger(words)) continue;
    if (word === "BEGIN" || word === "CASE") depth += 1;
    if (word === "END") depth -= 1;
  }
  if (text.trim()) statements.push(text.trim());
  return statements;
}

const isTrigger = (words) => words[0] === "CREATE" && words.slice(1, 3).includes("TRIGGER");
