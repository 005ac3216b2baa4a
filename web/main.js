// The page: the current model, and when to request predictions.

const TYPING_PAUSE = 200;

/** A form of this many fields is no taller than an answer of this many classes. */
const FEW_FIELDS = 4;
const FEW_CLASSES = 4;

/** The current model. */
let shown = null;
let level = 0.95;
let latest = new AbortController();
let pause;

async function start() {
  byId("trouble").hidden = true;
  try {
    await listModels();
    await open();
  } catch (error) {
    showTrouble(error);
  }
}

/** Shows an error in place of the model. */
function showTrouble(error) {
  const again = async () => {
    await start();
    // The button that had the focus was replaced.
    (byId("trouble").hidden ? byId("name") : byId("trouble").querySelector("button")).focus();
  };
  const retry = element("button", { type: "button", onclick: again }, "Try again");
  byId("trouble").replaceChildren(element("h1", {}, "No model"), element("p", {}, error.message), retry);
  byId("trouble").hidden = false;
  byId("unknown").hidden = true;
  byId("model").hidden = true;
}

/** Shows the model that the address names, or the one to start with. */
async function open() {
  latest.abort();
  cancelTable();
  latest = new AbortController();
  const turn = latest;
  markModel(keyOfAddress());
  const model = await findModel(keyOfAddress(), turn.signal);
  if (turn.signal.aborted) return;
  shown = { ...model, unsupported: {} };
  markModel(shown.name);
  scaleEnds = null;
  shownReasons.label = null;
  shownReasons.all = false;
  document.title = `${shown.key} – Ordinate`;
  byId("name").textContent = shown.key;
  byId("lead").textContent = introduction(shown);
  byId("unknown").hidden = shown.unknown === undefined;
  byId("unknown").textContent = `${capitalised(shown.unknown ?? "")}. This is ${shown.name}.`;
  const notes = shown.training.notes ?? [];
  byId("notes").hidden = notes.length === 0;
  byId("notes-list").replaceChildren(...notes.map((note) => element("li", {}, note)));
  byId("table").hidden = true;
  byId("table").replaceChildren();
  byId("row").value = "";
  byId("row-message").textContent = "";
  showFields(shown.signature.features, askSoon);
  byId("columns").classList.toggle("few", fields.length <= FEW_FIELDS);
  byId("columns").classList.toggle("tall", shown.classes?.length > FEW_CLASSES);
  byId("trouble").hidden = true;
  byId("model").hidden = false;
  fillFirst(shown);
  await ask();
}

/** A description of the model and of its accuracy. */
function introduction({ version, task, classes, signature, training }) {
  const { features, target } = signature;
  const tested = training.metrics?.test;
  const measured = tested ?? training.metrics?.train ?? {};
  const where = tested ? "held-out rows" : "its training rows";
  const kind = task === "classification" ? ` (${classes.length} classes)` : "";
  const does = `Predicts ${target.name}${kind} from ${count(features.length, "feature")}.`;
  let metric = "";
  if (measured.accuracy !== undefined) metric = ` Accuracy ${percent(measured.accuracy)} on ${where}.`;
  else if (measured.mae !== undefined)
    metric = ` Mean absolute error ${writer([measured.mae], { digits: 3 })(measured.mae)} on ${where}.`;
  // An imported model does not know its training rows.
  const { rows, parameters } = training;
  const origin = rows === undefined ? `imported from ${parameters.imported_from}` : `trained on ${count(rows, "row")}`;
  return `${does} Version ${version}, ${origin}.${metric}`;
}

function askSoon() {
  clearTimeout(pause);
  pause = setTimeout(ask, TYPING_PAUSE);
}

/** Requests a prediction for the form, and aborts earlier requests. Returns whether the row has high leverage. */
async function ask() {
  clearTimeout(pause);
  latest.abort();
  latest = new AbortController();
  const turn = latest;
  const model = shown;
  const options = {
    interval: levelOf(model),
    explain: true,
    probabilities: model.task === "classification" || undefined,
  };
  try {
    const response = await predict(model, formRow(), options, turn.signal);
    if (turn.signal.aborted) return;
    showFaults([]);
    showAnswer(model, response.answer);
    showReasons(model, response.answer);
    showCalls(model, response);
    return response.answer.warnings?.some(({ code }) => code === "leverage");
  } catch (error) {
    if (error.name === "AbortError" || turn.signal.aborted) return;
    showError(model, error);
    if (error.request) showCalls(model, error);
  }
}

function chooseLevel(chosen) {
  level = chosen;
  scaleEnds = null;
  ask();
}

/** Requests a prediction for another row, with a new scale. */
function askAfresh() {
  scaleEnds = null;
  return ask();
}

// Relative links would not be those of a page at a stage such as `/prod`, without a slash at the end.
byId("docs").href = `${BASE}/docs`;
byId("openapi").href = `${BASE}/openapi.json`;
byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
byId("random").addEventListener("click", async () => {
  // A mixture may have high leverage, as rows of the training data may.
  for (let turn = 0; turn < 8; turn += 1) {
    fillRandom(shown);
    if (!(await askAfresh())) break;
  }
});
byId("reset").addEventListener("click", () => {
  fillFirst(shown);
  askAfresh();
});
byId("row").addEventListener("input", () => {
  try {
    byId("row-message").textContent = fillFromText(byId("row").value);
  } catch (error) {
    byId("row-message").textContent = error.message;
  }
  scaleEnds = null;
  askSoon();
});
byId("file").addEventListener("change", () => {
  const [file] = byId("file").files;
  if (file) predictFile(shown, file);
  // Otherwise, choosing the same file again would not be a change.
  byId("file").value = "";
});
// A file that is dropped elsewhere would replace the page.
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    byId("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop" && shown) predictFile(shown, event.dataTransfer.files[0]);
  });
}
addEventListener("hashchange", () => open().catch((error) => error.name === "AbortError" || showTrouble(error)));
start();
