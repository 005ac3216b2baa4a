// The page: which model is shown, and when the service is asked.

const TYPING_PAUSE = 200;

/** The models that there are, and the one that is shown. */
let models = [];
let shown = null;
let level = 0.95;
let latest = new AbortController();
let pause;

async function start() {
  byId("trouble").hidden = true;
  try {
    ({ models } = await call("/models"));
    for (const model of models) model.several = models.filter(({ name }) => name === model.name).length > 1;
    await open();
  } catch (error) {
    showTrouble(error);
  }
}

function showTrouble(error) {
  const retry = element("button", { type: "button", onclick: start }, "Try again");
  byId("trouble").replaceChildren(element("p", {}, error.message), retry);
  byId("trouble").hidden = false;
}

const keyOf = (model) => (model.several ? `${model.name}@${model.version}` : model.name);

/** Shows the model that the address names, or the default one. */
async function open() {
  let wanted = "";
  try {
    wanted = decodeURIComponent(location.hash.slice(1));
  } catch {
    // Not one of our addresses.
  }
  const summary = models.find((model) => keyOf(model) === wanted) ?? models.find((model) => model.default) ?? models[0];
  const link = (model) => {
    const current = model === summary ? "page" : null;
    return element(
      "li",
      {},
      element("a", { href: `#${encodeURIComponent(keyOf(model))}`, "aria-current": current }, keyOf(model)),
    );
  };
  byId("models").replaceChildren(...models.map(link));
  if (!summary) throw new Error("The service has no models.");
  latest.abort();
  cancelTable();
  const turn = (latest = new AbortController());
  const described = await call(pathOf(summary), { signal: turn.signal });
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
  byId("file").value = "";
  byId("row").value = "";
  byId("row-message").textContent = "";
  showFields(shown.signature.features, askSoon);
  byId("model").hidden = false;
  fillTypical(shown);
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
  const options = { interval: level, explain: true };
  if (model.task === "classification") options.probabilities = true;
  try {
    const said = await predict(model, formRow(), options, turn.signal);
    if (turn.signal.aborted) return;
    complain([]);
    showAnswer(model, said, level, (chosen) => {
      level = chosen;
      delete model.forgone.interval;
      scaleEnds = null;
      ask();
    });
    showReasons(model, said.answer);
    showCalls(model, said);
    return said.answer.warnings?.some(({ code }) => code === "leverage");
  } catch (error) {
    if (error.name === "AbortError" || turn.signal.aborted) return;
    showError(model, error);
    if (error.request) showCalls(model, { body: error.request, answer: error.body });
  }
}

/** The call that was just made, as a program would make it. */
function showCalls(model, { body, answer }) {
  const url = `${location.origin}${BASE}${pathOf(model)}/predict`;
  const quoted = body.replaceAll("'", "'\\''");
  const command = `curl -s '${url}' \\\n  -H 'content-type: application/json' \\\n  -d '${quoted}'`;
  const texts = [
    ["curl", "the command", command],
    ["Request", "the request", body],
    ["Answer", "the answer", JSON.stringify(answer)],
  ];
  byId("calls").replaceChildren(...texts.map((part) => callPart(...part)));
}

function callPart(name, called, text) {
  const copy = copyButton(`Copy ${called}`, () => text);
  return element(
    "div",
    {},
    element("div", { class: "heading" }, element("h3", {}, name), copy),
    element("pre", { tabindex: "0", role: "region", "aria-label": `Text of ${called}` }, element("code", {}, text)),
  );
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
byId("random").addEventListener("click", async () => {
  fillRandom();
  // Numbers that know nothing of each other are unusual together, where those of the data do.
  for (let halvings = 0; (await ask()) && halvings < 8; halvings += 1) fillLessUnusual(shown);
});
byId("reset").addEventListener("click", () => {
  fillTypical(shown);
  ask();
});
byId("row").addEventListener("input", () => {
  try {
    byId("row-message").textContent = fillFromCsv(byId("row").value);
  } catch (error) {
    byId("row-message").textContent = error.message;
  }
  askSoon();
});
byId("file").addEventListener("change", () => {
  if (byId("file").files[0]) predictFile(shown, byId("file").files[0]);
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
