// The page: which model is shown, and when the service is asked.

const TYPING_PAUSE = 200;

/** So many fields are no higher than an answer beside them of so many classes. */
const FEW_FIELDS = 4;
const FEW_CLASSES = 4;

/** The models that there are, and the one that is shown. */
let models = [];
let shown = null;
let level = 0.95;
let latest = new AbortController();
let pause;

async function start() {
  byId("trouble").hidden = true;
  try {
    ({ models } = (await call("/models")).body);
    for (const model of models) model.several = models.filter(({ name }) => name === model.name).length > 1;
    byId("models").replaceChildren(...models.map(link));
    await open();
  } catch (error) {
    showTrouble(error);
  }
}

/** What keeps a model from being shown. */
function showTrouble(error) {
  const again = async () => {
    await start();
    // The button is gone: with it would go whoever was there.
    (byId("trouble").hidden ? byId("name") : byId("trouble").querySelector("button")).focus();
  };
  const retry = element("button", { type: "button", onclick: again }, "Try again");
  byId("trouble").replaceChildren(element("h1", {}, "No model"), element("p", {}, error.message), retry);
  byId("trouble").hidden = false;
  byId("model").hidden = true;
}

const keyOf = (model) => (model.several ? `${model.name}@${model.version}` : model.name);

const link = (model) => element("li", {}, element("a", { href: `#${encodeURIComponent(keyOf(model))}` }, keyOf(model)));

/** Shows the model that the address names, or the default one. */
async function open() {
  let wanted = "";
  try {
    wanted = decodeURIComponent(location.hash.slice(1));
  } catch {
    // Not one of our addresses.
  }
  const summary = models.find((model) => keyOf(model) === wanted) ?? models.find((model) => model.default) ?? models[0];
  for (const [position, item] of [...byId("models").children].entries()) {
    if (models[position] === summary) item.firstChild.setAttribute("aria-current", "page");
    else item.firstChild.removeAttribute("aria-current");
  }
  if (!summary) throw new Error("The service has no models.");
  latest.abort();
  cancelTable();
  const turn = (latest = new AbortController());
  const { body: described } = await call(pathOf(summary), { signal: turn.signal });
  if (turn.signal.aborted) return;
  shown = { ...described, several: summary.several, forgone: {} };
  scaleEnds = null;
  reasonsWanted.label = null;
  reasonsWanted.all = false;
  document.title = `${shown.name} – Ordinate`;
  byId("name").textContent = shown.name;
  byId("lead").textContent = introduction(shown);
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

/** What the model does and how well, in sentences. */
function introduction({ version, task, classes, signature, training }) {
  const { features, target } = signature;
  const tested = training.metrics?.test;
  const measured = tested ?? training.metrics?.train ?? {};
  const where = tested ? "the rows held out" : "the rows it was trained on";
  const from = `from ${count(features.length, "feature")}`;
  const does =
    task === "classification"
      ? `Tells ${classes.length} classes of ${target.name} apart, ${from}.`
      : `Predicts ${target.name} ${from}.`;
  let well = "";
  if (measured.accuracy !== undefined) well = ` Right on ${percent(measured.accuracy)} of ${where}.`;
  else if (measured.mae !== undefined)
    well = ` Off by ${writer([measured.mae], { digits: 3 })(measured.mae)} on average on ${where}.`;
  return `${does} Version ${version}, trained on ${count(training.rows, "row")}.${well}`;
}

function askSoon() {
  clearTimeout(pause);
  pause = setTimeout(ask, TYPING_PAUSE);
}

/** Asks for the form's row; whether it is an unusual combination. Only the last question counts: the ones before are given up. */
async function ask() {
  clearTimeout(pause);
  latest.abort();
  const turn = (latest = new AbortController());
  const model = shown;
  const options = {
    interval: levelOf(model),
    explain: true,
    probabilities: model.task === "classification" || undefined,
  };
  try {
    const said = await predict(model, formRow(), options, turn.signal);
    if (turn.signal.aborted) return;
    complain([]);
    showAnswer(model, said.answer);
    showReasons(model, said.answer);
    showCalls(model, said);
    return said.answer.warnings?.some(({ code }) => code === "leverage");
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

/** Asks anew, for a row that has nothing to do with the one before. */
function askAfresh() {
  scaleEnds = null;
  return ask();
}

/** The call that was just made, as a program would make it. */
function showCalls(model, { request, text = "" }) {
  const url = `${location.origin}${BASE}${pathOf(model)}/predict`;
  const quoted = request.replaceAll("'", "'\\''");
  const command = `curl -s '${url}' \\\n  -H 'content-type: application/json' \\\n  -d '${quoted}'`;
  const parts = [
    callPart("curl", "the command", command, command),
    callPart("Request", "the request", request, indented(request)),
    callPart("Answer", "the answer", text, indented(text)),
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
  // A mixture may be unusual once in a while, as a row of the data may be.
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
  // So that the same file, when it has been mended, is a change again.
  byId("file").value = "";
});
// A file that misses its place would replace the page.
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
