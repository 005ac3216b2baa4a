// The page: the current model, and when to request predictions.

const TYPING_PAUSE = 200;

/** A form of this many fields is no taller than an answer of this many classes. */
const FEW_FIELDS = 4;
const FEW_CLASSES = 4;

/** All models, and the current one. */
let models = [];
let shown = null;
let level = 0.95;
let latest = new AbortController();
let pause;

async function start() {
  byId("trouble").hidden = true;
  try {
    ({ models } = (await call("/models")).body);
    byId("models").replaceChildren(...models.map(link));
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
  byId("model").hidden = true;
}

const link = ({ name }) => element("li", {}, element("a", { href: `#${encodeURIComponent(name)}` }, name));

/** Shows the model that the address names, or the default one. */
async function open() {
  let key = "";
  try {
    key = decodeURIComponent(location.hash.slice(1));
  } catch {
    // Not the address of a model.
  }
  const summary = models.find((model) => model.name === key) ?? models.find((model) => model.default) ?? models[0];
  for (const [position, item] of [...byId("models").children].entries()) {
    if (models[position] === summary) item.firstChild.setAttribute("aria-current", "page");
    else item.firstChild.removeAttribute("aria-current");
  }
  if (!summary) throw new Error("The service has no models.");
  latest.abort();
  cancelTable();
  latest = new AbortController();
  const turn = latest;
  const { body: described } = await call(pathOf(summary), { signal: turn.signal });
  if (turn.signal.aborted) return;
  shown = { ...described, unsupported: {} };
  scaleEnds = null;
  shownReasons.label = null;
  shownReasons.all = false;
  document.title = `${shown.name} – Ordinate`;
  byId("name").textContent = shown.name;
  byId("lead").textContent = introduction(shown);
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
  return `${does} Version ${version}, trained on ${count(training.rows, "row")}.${metric}`;
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

/** Shows the last request and its response, and a command that repeats it. */
function showCalls(model, { request, text = "" }) {
  const url = `${location.origin}${BASE}${pathOf(model)}/predict`;
  const quoted = request.replaceAll("'", "'\\''");
  const command = `curl -s '${url}' \\\n  -H 'content-type: application/json' \\\n  -d '${quoted}'`;
  const parts = [
    callPart("curl", "the command", command, command),
    callPart("Request", "the request", request, indented(request)),
    callPart("Response", "the response", text, indented(text)),
  ];
  byId("calls").replaceChildren(...parts);
}

function callPart(name, called, text, shown) {
  const copy = copyButton(`Copy ${called}`, () => text);
  return element(
    "div",
    {},
    element("div", { class: "heading" }, element("h3", {}, name), copy),
    element("pre", { tabindex: "0", role: "region", "aria-label": `Text of ${called}` }, element("code", {}, shown)),
  );
}

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
    byId("row-message").textContent = fillFromCsv(byId("row").value);
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
