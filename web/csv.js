// Reads and writes CSV (RFC 4180, and the variants of spreadsheets), so that only the columns of features are sent.

/** The delimiter with which the first line contains all of these names, or else the most frequent one. */
function delimiterOf(text, names) {
  const line = text.slice(0, 100_000).split(/\r?\n/, 1)[0];
  const marks = [",", ";", "\t", "|"];
  const times = (mark) => line.split(mark).length;
  return (
    marks.find((mark) => hasAll(line, mark, names)) ??
    marks.reduce((best, mark) => (times(mark) > times(best) ? mark : best))
  );
}

function hasAll(line, mark, names) {
  try {
    const header = readCsv(line, names, mark)[0]?.fields.map((name) => name.trim()) ?? [];
    return names.every((name) => header.includes(name));
  } catch {
    // A quoted field continues in the next line.
    return false;
  }
}

/** All records of a table with these columns, each with its first line. Empty lines are skipped. */
function readCsv(text, names, delimiter = delimiterOf(text, names)) {
  const records = [];
  let fields = [];
  let line = 1;
  let first = 1;
  const mark = delimiter === "|" ? "\\|" : delimiter;
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${mark}\\r\\n][^${mark}\\r\\n]*)?)(${mark}|\\r?\\n|\\r|$)`, "y");
  pattern.lastIndex = text.startsWith("\uFEFF") ? 1 : 0;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) throw new Error(`Line ${line}: an unclosed quote, or text after a closing quote.`);
    const [whole, quoted, plain, end] = match;
    fields.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    line += (whole.match(/\r\n|\r|\n/g) ?? []).length;
    if (end === delimiter && pattern.lastIndex < text.length) continue;
    if (end === delimiter) fields.push("");
    if (fields.length > 1 || fields[0] !== "" || quoted !== undefined) records.push({ fields, line: first });
    fields = [];
    first = line;
  }
  return records;
}

/** A name that occurs twice in a header, if there is one. */
const duplicateIn = (header) => header.find((name, position) => name !== "" && header.indexOf(name) !== position);

/** One record as a line of text. */
function csvLine(fields) {
  return fields
    .map((field) =>
      (fields.length === 1 && field === "") || /[",;\t\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field,
    )
    .join(",");
}
