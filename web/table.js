// Predicts a CSV file in batches of rows, and offers it for download with predictions.

const ROWS_AT_A_TIME = 500;
const ROWS_SHOWN = 100;

/** The column of warnings, which is added if there are any. */
const WARNINGS = "warnings";

/** Cancels the file in progress. */
let cancelTable = () => {};

async function predictFile(model, file) {
  cancelTable();
  const cancel = new AbortController();
  cancelTable = () => cancel.abort();
  const place = byId("table");
  place.hidden = false;
  const options = { interval: levelOf(model), probabilities: model.task === "classification" || undefined };
  const work = { file: file.name, records: [], header: [], done: [], options, added: addedTo(model, options) };
  try {
    openFile(model, work, await textOf(file));
  } catch (error) {
    place.replaceChildren(element("p", { class: "message", role: "alert" }, error.message));
    return;
  }
  const bar = element("progress", { max: work.records.length, value: 0, "aria-label": "Rows predicted" });
  const progress = element("span", {}, `0 of ${count(work.records.length, "row")}`);
  const stop = element("button", { type: "button", onclick: () => cancel.abort() }, "Cancel");
  place.replaceChildren(element("p", { class: "progress" }, bar, progress, stop));
  stop.focus({ preventScroll: true });

  let trouble = null;
  try {
    await predictAll(model, work, cancel.signal, () => {
      bar.value = work.done.length;
      progress.textContent = `${work.done.length.toLocaleString("en")} of ${count(work.records.length, "row")}`;
    });
  } catch (error) {
    trouble = error.name === "AbortError" ? "Cancelled." : error.message;
  }
  // The user has chosen another file or model in the meantime.
  if (!place.contains(stop)) return;
  const isFocused = document.activeElement === stop;
  showTable(model, work, trouble);
  // The button is removed; move its focus to the next one.
  if (isFocused) (place.querySelector("button") ?? byId("file")).focus({ preventScroll: true });
}

/** The text of a file, which must be UTF-8. */
async function textOf(file) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (!text.includes("\0")) return text;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  throw new Error(`${file.name} is not text in UTF-8: save it as “CSV UTF-8”.`);
}

/** The names of the added columns, as `ordinate predict` has them. */
function addedTo(model, { interval, probabilities }) {
  const ends = model.task === "classification" ? ["prediction_set"] : ["prediction_low", "prediction_high"];
  const columns = probabilities ? model.classes.map((label) => `probability_${label}`) : [];
  return ["prediction", ...(interval ? ends : []), ...columns];
}

/** Reads the file and finds the columns of the features. */
function openFile(model, work, text) {
  const names = model.signature.features.map((feature) => feature.name);
  const [header, ...records] = readCsv(text, names);
  if (!header || records.length === 0) throw new Error(`${work.file} needs a header and at least one row.`);
  work.header = header.fields.map((name) => name.trim());
  work.records = records;
  if (duplicateIn(work.header))
    throw new Error(`${work.file} has two columns named ${duplicateIn(work.header)}: rename or delete one.`);
  const taken = [...work.added, WARNINGS].find((name) => work.header.includes(name));
  if (taken) throw new Error(`${work.file} already has a column named ${taken}: rename it.`);
  work.places = names.map((name) => work.header.indexOf(name));
  const missing = names.filter((name) => !work.header.includes(name));
  if (missing.length === names.length && work.header.length >= names.length && isData(work.header))
    throw new Error(`${work.file} has no header: add a first line with the column names ${names.join(", ")}.`);
  if (missing.length > 0) {
    const columns = missing.length === 1 ? "column" : "columns";
    throw new Error(`${work.file}: missing ${columns} ${missing.join(", ")}. Its header is ${work.header.join(", ")}.`);
  }
  const uneven = records.find(({ fields }) => fields.length !== work.header.length);
  if (uneven) {
    const found = count(uneven.fields.length, "field");
    throw new Error(
      `${work.file}, line ${uneven.line}: got ${found}, expected ${work.header.length} as in the header.`,
    );
  }
}

/** Whether a line has a number or an empty field, as the names of columns do not. */
const isData = (line) => line.some((text) => text === "" || Number.isFinite(Number(text)));

async function predictAll(model, work, signal, onprogress) {
  const names = model.signature.features.map((feature) => feature.name);
  // The service reads fields by the conventions of the training file.
  const isCsv = model.signature.features.some((feature) => feature.reading);
  let most = Math.max(1, Math.min(ROWS_AT_A_TIME, model.limits.max_rows));
  let size = most;
  while (work.done.length < work.records.length) {
    const start = work.done.length;
    const rows = work.records.slice(start, start + size);
    const text = isCsv
      ? [csvLine(names), ...rows.map(({ fields }) => csvLine(work.places.map((place) => fields[place])))].join("\n")
      : `[${rows.map(({ fields }) => rowText(model, work, fields)).join(",")}]`;
    try {
      const { answer } = await predict(model, text, work.options, signal, isCsv);
      size = Math.min(most, 2 * keep(work, answer));
      onprogress();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      // Fewer rows may fit.
      if (/_too_large$/.test(error.code ?? "") && size > 1) {
        most = size = Math.ceil(size / 4);
        continue;
      }
      const bad = firstRow(error);
      if (bad === null) throw error;
      // Predicts the rows before the rejected one.
      if (bad > 0 && bad < size) {
        size = bad;
        continue;
      }
      const { line } = work.records[start + bad];
      throw new Error(
        `Row ${(start + bad + 1).toLocaleString("en")} (line ${line} of the file): ${faultOfFirstRow(error)}`,
      );
    }
  }
}

const rowText = (model, work, fields) =>
  `[${model.signature.features.map((feature, position) => cell(feature, fields[work.places[position]])).join(",")}]`;

/** The first row that an error is about, or null. */
function firstRow(error) {
  const rows = (error.faults ?? []).map(
    (fault) => /^#\/X\/(\d+)/.exec(fault.pointer ?? "")?.[1] ?? /^row (\d+):/.exec(fault.detail)?.[1],
  );
  const known = rows.filter((row) => row !== undefined).map(Number);
  return known.length > 0 ? Math.min(...known) : null;
}

/** The message about the first row, without its number in the request. */
function faultOfFirstRow(error) {
  const first = firstRow(error);
  const fault = error.faults.find(
    ({ pointer, detail }) => pointer?.startsWith(`#/X/${first}`) || detail.startsWith(`row ${first}:`),
  );
  return `${(fault?.detail ?? error.message).replace(/^row \d+: /, "")}.`;
}

/**
 * Keeps the predictions of the rows whose warnings are complete, and returns their number. A response lists the first
 * hundred warnings in the order of the rows, and for very wide models it has the leverage of the first rows only.
 */
function keep(work, answer) {
  const warnings = answer.warnings ?? [];
  const complete = answer.warnings_total ? warnings.at(-1).row : answer.y.length;
  const rows = Math.max(1, Math.min(complete, answer.rows_searched_for_leverage ?? complete));
  for (const [row, value] of answer.y.slice(0, rows).entries()) {
    const cells = {
      prediction: value,
      prediction_low: answer.interval?.[row][0],
      prediction_high: answer.interval?.[row][1],
      prediction_set: answer.prediction_sets?.[row].map((label) => String(label).replace(/[\\|]/g, "\\$&")).join("|"),
    };
    for (const [label, probability] of Object.entries(answer.probabilities?.[row] ?? {}))
      cells[`probability_${label}`] = probability;
    const unusual = warnings.filter((warning) => warning.row === row).map(warningText);
    work.done.push({ cells: work.added.map((name) => cells[name] ?? ""), unusual: unusual.join("; ") });
  }
  return rows;
}

function showTable(model, work, trouble) {
  const place = byId("table");
  const parts = [];
  const done = work.done.length;
  const unusual = work.done.filter((row) => row.unusual).length;
  if (unusual > 0) {
    work.added.push(WARNINGS);
    for (const row of work.done) row.cells.push(row.unusual);
  }
  const of =
    done === work.records.length
      ? count(done, "row")
      : `${done.toLocaleString("en")} of ${count(work.records.length, "row")}`;
  const warned = unusual > 0 ? `; ${unusual.toLocaleString("en")} with warnings` : "";
  const kind = model.task === "classification" ? "prediction sets" : "prediction intervals";
  const level = work.options.interval ? ` with ${percent(work.options.interval)} ${kind}` : "";
  parts.push(element("p", { role: "status" }, `${of} predicted${level}${warned}.`));
  if (trouble) parts.push(element("p", { class: "message", role: "alert" }, trouble));
  if (done > 0) {
    const button = element(
      "button",
      { type: "button", class: "main", onclick: () => download(work) },
      "Download as CSV",
    );
    parts.push(element("p", { class: "actions" }, button), preview(work));
  }
  place.replaceChildren(...parts);
}

/**
 * The first rows: row number, predictions, and the columns of the file. Numbers are aligned to the right, text to the
 * left. Added columns that are empty in these rows, such as their warnings, are hidden.
 */
function preview(work) {
  const rows = work.done
    .slice(0, ROWS_SHOWN)
    .map(({ cells }, position) => [...cells, ...work.records[position].fields]);
  const columns = [...work.added, ...work.header].map((name, place) => {
    const values = rows.map((row) => row[place]);
    const isAdded = place < work.added.length;
    const isNumeric = values.every((value) => value === "" || Number.isFinite(Number(value)));
    const kind = `${isNumeric ? "" : "text"} ${isAdded ? (name === WARNINGS ? "unusual" : "predicted") : ""}`;
    const numbers = values.filter((value) => typeof value === "number");
    const format = writerOfColumn(numbers);
    const isHidden = isAdded && values.every((value) => value === "");
    return { name, kind, isHidden, write: (value) => (typeof value === "number" ? format(value) : String(value)) };
  });
  const shown = work.done.length > ROWS_SHOWN ? `the first ${ROWS_SHOWN} rows; the download has all` : "all rows";
  const table = element(
    "table",
    { class: "rows" },
    element("caption", {}, `${work.file}: ${shown}`),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col" }, "Row"),
        columns.map(({ name, kind, isHidden }) => !isHidden && element("th", { scope: "col", class: kind }, name)),
      ),
    ),
    element(
      "tbody",
      {},
      rows.map((row, position) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, String(position + 1)),
          columns.map(
            ({ kind, isHidden, write }, place) =>
              !isHidden && element("td", { class: kind, title: String(row[place]) }, write(row[place])),
          ),
        ),
      ),
    ),
  );
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Predictions" }, table);
}

function download(work) {
  const lines = work.done.map(({ cells }, position) =>
    csvLine([...work.records[position].fields, ...cells.map(String)]),
  );
  const text = `${[csvLine([...work.header, ...work.added]), ...lines].join("\r\n")}\r\n`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href: url, download: `${work.file.replace(/\.[^.]*$/, "")}-predicted.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
