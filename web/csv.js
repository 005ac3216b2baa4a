// CSV (RFC 4180) as spreadsheets write it: read and written here, so that a file's other columns need not be sent.

/** The delimiter under which the first line has all of these names, otherwise the one that stands most often in it. */
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
    // A quote that goes on in the next line.
    return false;
  }
}

/** All records of a table that should have these columns, each with the line it begins in. Empty lines are passed over. */
function readCsv(text, names, delimiter = delimiterOf(text, names)) {
  const records = [];
  let fields = [];
  let line = 1;
  let began = 1;
  const mark = delimiter === "|" ? "\\|" : delimiter;
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${mark}\\r\\n][^${mark}\\r\\n]*)?)(${mark}|\\r?\\n|\\r|$)`, "y");
  pattern.lastIndex = text.startsWith("\uFEFF") ? 1 : 0;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) throw new Error(`Line ${line}: a quote that is not closed, or text after one that is.`);
    const [whole, quoted, plain, end] = match;
    fields.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    line += (whole.match(/\r\n|\r|\n/g) ?? []).length;
    if (end === delimiter && pattern.lastIndex < text.length) continue;
    if (end === delimiter) fields.push("");
    if (fields.length > 1 || fields[0] !== "" || quoted !== undefined) records.push({ fields, line: began });
    fields = [];
    began = line;
  }
  return records;
}

/** A name that a header has twice: nobody knows which of its columns is meant. */
const twice = (header) => header.find((name, position) => name !== "" && header.indexOf(name) !== position);

/** One record as a line of text. */
function csvLine(fields) {
  return fields.map((field) => (/[",;\t\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
