// Many rows: a CSV file in, the same file with predictions out, some rows at a time.

const ROWS_AT_A_TIME = 500;
const ROWS_SHOWN = 100;

/** Stops the file that is being predicted. */
let cancelTable = () => {};

async function predictFile(model, file) {
  cancelTable();
  const cancel = new AbortController();
  cancelTable = () => cancel.abort();
  const place = byId("table");
  place.hidden = false;
  const work = { file: file.name, records: [], header: [], done: [], added: [] };
  try {
    openFile(model, work, await file.text());
  } catch (error) {
    place.replaceChildren(element("p", { class: "message", role: "alert" }, error.message));
    return;
  }
  const bar = element("progress", { max: work.records.length, value: 0, "aria-label": "Rows predicted" });
  const told = element("span", {}, `0 of ${count(work.records.length, "row")}`);
  const stop = element("button", { type: "button", onclick: () => cancel.abort() }, "Cancel");
  place.replaceChildren(element("p", { class: "progress" }, bar, told, stop));
  stop.focus({ preventScroll: true });

  let trouble = null;
  try {
    await predictAll(model, work, cancel.signal, () => {
      bar.value = work.done.length;
      told.textContent = `${work.done.length.toLocaleString("en")} of ${count(work.records.length, "row")}`;
    });
  } catch (error) {
    trouble = error.name === "AbortError" ? "Cancelled." : error.message;
  }
  // Another file or model has taken the place meanwhile.
  if (cancel.signal.reason === "replaced" || !place.contains(stop)) return;
  showTable(model, work, trouble);
}

/** Reads the file, and finds the model's features among its columns. */
function openFile(model, work, text) {
  const [header, ...records] = readCsv(text);
  if (!header || records.length === 0) throw new Error(`${work.file} has no rows under a header.`);
  work.header = header.fields.map((name) => name.trim());
  work.records = records;
  const names = model.signature.features.map((feature) => feature.name);
  work.places = names.map((name) => work.header.indexOf(name));
  const lacking = names.filter((name) => !work.header.includes(name));
  if (lacking.length > 0) {
    const columns = lacking.length === 1 ? "column" : "columns";
    const named = `Its first line names ${work.header.join(", ")}.`;
    throw new Error(`${work.file} lacks the ${columns} ${lacking.join(", ")}. ${named}`);
  }
  const uneven = records.find(({ fields }) => fields.length !== work.header.length);
  if (uneven) {
    const found = count(uneven.fields.length, "field");
    throw new Error(`${work.file}, line ${uneven.line}: ${found}, and the header has ${work.header.length}.`);
  }
}

async function predictAll(model, work, signal, onprogress) {
  const options = model.task === "classification" ? { probabilities: true } : { interval: 0.95 };
  const most = Math.max(1, Math.min(ROWS_AT_A_TIME, model.limits.max_rows));
  let size = most;
  while (work.done.length < work.records.length) {
    const start = work.done.length;
    const rows = work.records.slice(start, start + size);
    const text = `[${rows.map(({ fields }) => rowText(model, work, fields)).join(",")}]`;
    try {
      const { answer } = await predict(model, text, options, signal);
      keep(model, work, answer);
      onprogress();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      // Rows that are too long together may fit one by one.
      if (/_too_large$/.test(error.code ?? "") && size > 1) {
        size = Math.ceil(size / 4);
        continue;
      }
      const bad = firstRow(error);
      if (bad === null) throw error;
      // The rows before the one that is refused are predicted all the same.
      if (bad > 0 && bad < size) {
        size = bad;
        continue;
      }
      const { line } = work.records[start + bad];
      throw new Error(
        `Row ${(start + bad + 1).toLocaleString("en")} (line ${line} of the file) is refused. ${plainAt(error)}`,
      );
    }
  }
}

const rowText = (model, work, fields) =>
  `[${model.signature.features.map((feature, position) => cell(feature, fields[work.places[position]])).join(",")}]`;

/** The first row of a request that is refused, or null when it is not about a row. */
function firstRow(error) {
  const rows = (error.faults ?? []).map(
    (fault) => /^#\/X\/(\d+)/.exec(fault.pointer ?? "")?.[1] ?? /^row (\d+):/.exec(fault.detail)?.[1],
  );
  const known = rows.filter((row) => row !== undefined).map(Number);
  return known.length > 0 ? Math.min(...known) : null;
}

/** The words of the fault of the first row, without its number in the request. */
function plainAt(error) {
  const first = firstRow(error);
  const fault = error.faults.find(
    ({ pointer, detail }) => pointer?.startsWith(`#/X/${first}`) || detail.startsWith(`row ${first}:`),
  );
  const words = (fault?.detail ?? error.message).replace(/^row \d+: /, "");
  return `${capitalised(words)}.`;
}

/** Keeps the predictions of some rows, as columns named like those of `ordinate predict`. */
function keep(model, work, answer) {
  const labels = answer.probabilities ? model.classes.map(String) : [];
  work.added = ["prediction"];
  if (answer.interval) work.added.push("prediction_low", "prediction_high");
  work.added.push(...labels.map((label) => `probability_${label}`));
  for (const [row, value] of answer.y.entries()) {
    work.done.push([
      value,
      ...(answer.interval?.[row] ?? []),
      ...labels.map((label) => answer.probabilities[row][label]),
    ]);
  }
}

function showTable(model, work, trouble) {
  const place = byId("table");
  const parts = [];
  const all = work.done.length === work.records.length;
  const summary = all
    ? `${count(work.done.length, "row")} predicted.`
    : `${work.done.length.toLocaleString("en")} of ${count(work.records.length, "row")} predicted.`;
  parts.push(element("p", { role: "status" }, summary));
  if (trouble) parts.push(element("p", { class: "message", role: "alert" }, trouble));
  if (work.done.length > 0) {
    const button = element(
      "button",
      { type: "button", class: "main", onclick: () => download(work) },
      "Download as CSV",
    );
    parts.push(element("p", { class: "actions" }, button), preview(work));
  }
  place.replaceChildren(...parts);
}

/** The first rows: number and predictions, then the file's own columns. */
function preview(work) {
  const write = work.added.map((_, column) => {
    const values = work.done.slice(0, ROWS_SHOWN).map((row) => row[column]);
    return values.every((value) => typeof value === "number") ? writer(values) : String;
  });
  const head = [...work.added, ...work.header].map((name) => element("th", { scope: "col" }, name));
  const rows = work.done.slice(0, ROWS_SHOWN).map((row, position) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, String(position + 1)),
      row.map((value, column) => element("td", { class: "predicted", title: String(value) }, write[column](value))),
      work.records[position].fields.map((value) => element("td", {}, value)),
    ),
  );
  const shown = work.done.length > ROWS_SHOWN ? `the first ${ROWS_SHOWN} rows; the download has all` : "all rows";
  const table = element(
    "table",
    { class: "rows" },
    element("caption", {}, `${work.file}: ${shown}`),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Row"), head)),
    element("tbody", {}, rows),
  );
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Predictions" }, table);
}

function download(work) {
  const lines = work.done.map((row, position) => csvLine([...work.records[position].fields, ...row.map(String)]));
  const text = `${[csvLine([...work.header, ...work.added]), ...lines].join("\r\n")}\r\n`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href: url, download: `${work.file.replace(/\.[^.]*$/, "")}-predicted.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
