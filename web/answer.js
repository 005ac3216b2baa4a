// The answer: a number with its interval on a scale, or a class with the probabilities of all.

/** The ends of the scale so far: it grows and does not jump while one tries values. */
let scaleEnds = null;

/** How many labels of a set are named. */
const NAMED_LABELS = 5;

function showAnswer(model, answer) {
  const { target } = model.signature;
  const value = answer.y[0];
  const said = [];
  const detail = [];
  let spoken;
  let isExact = false;
  if (model.task === "classification") {
    const shares = answer.probabilities?.[0];
    const sure = shares && shares[String(value)];
    said.push(figure(target.name, String(value), value, sure === undefined ? null : `${percent(sure)} probability`));
    spoken = `${target.name}: ${value}${sure === undefined ? "" : `, ${percent(sure)}`}`;
    const labels = answer.prediction_sets?.[0].map(String);
    if (labels) {
      const named = labels.length > NAMED_LABELS ? [`one of ${labels.length} classes`] : labels;
      const strong = named.flatMap((label, place) => [place > 0 && " or ", element("strong", {}, breakable(label))]);
      said.push(
        element(
          "p",
          { class: "interval", title: labels.join(" or ") },
          "With ",
          levelChoice(model),
          " probability it is ",
          strong,
        ),
      );
      if (labels.length > 1) spoken += `; with ${percent(levelOf(model))} probability ${named.join(" or ")}`;
    }
    if (shares) detail.push(classBars(shares, String(value)));
  } else {
    const ends = answer.interval?.[0];
    // What rounding leaves of an interval without width.
    isExact = ends && ends[1] - ends[0] <= 1e-12 * Math.abs(value);
    const write = ends && !isExact ? writerOfInterval(value, ends) : number;
    said.push(figure(target.name, write(value), value));
    spoken = `${target.name}: ${write(value)}`;
    if (isExact) said.push(element("p", { class: "interval" }, "The model is exact on its training rows."));
    else if (ends) {
      said.push(intervalLine(model, ends, write));
      detail.push(scale(value, ends));
      spoken += `, between ${write(ends[0])} and ${write(ends[1])}`;
    }
  }
  const how = METHODS[answer.interval_method]?.(model.intervals?.held_out_rows);
  if (!answer.interval && !answer.prediction_sets) said.push(noInterval(model));
  else if (how && !isExact) detail.push(element("p", { class: "hint" }, how));
  const warnings = (answer.warnings ?? []).map(inWords);
  if (warnings.length > 0) {
    const items = warnings.map((text) => element("li", {}, text));
    detail.unshift(element("ul", { class: "warnings" }, items));
  }
  for (const warning of answer.warnings ?? []) {
    fields
      .find(({ feature }) => feature.name === warning.feature)
      ?.complain(warning.code === "outside_range" ? "Outside the training range." : "Not in the training data.", true);
  }
  // The controls of the answer are made anew with it: whoever was at one stays there.
  const held = byId("said").contains(document.activeElement) ? document.activeElement.id : null;
  byId("said").replaceChildren(...said.filter(Boolean));
  byId("detail").replaceChildren(...detail.filter(Boolean));
  if (held) byId(held)?.focus();
  say([spoken, ...warnings].join(". "));
}

/** Tells those who listen instead of looking. */
function say(text) {
  if (byId("spoken").textContent !== text) byId("spoken").textContent = text;
}

function figure(name, text, exact, addition) {
  const size = text.length > 16 ? "longer" : text.length > 9 && "long";
  const kind = typeof exact === "number" ? "digits" : "";
  const shown = element("output", { class: `${size || ""} ${kind}`, title: String(exact) }, text);
  const copy = copyButton("Copy", () => String(exact));
  copy.id = "copy-answer";
  copy.setAttribute("aria-label", "Copy the exact answer");
  copy.title = String(exact);
  return element(
    "div",
    { class: "figure" },
    element("p", { class: "target" }, breakable(name)),
    element("p", { class: "number" }, shown, copy),
    addition && element("p", { class: "lead" }, addition),
  );
}

function intervalLine(model, ends, write) {
  // A dash beside a minus would read like another.
  const between = ends[0] < 0 ? " to " : " – ";
  const range = element("strong", { title: `${ends[0]} to ${ends[1]}` }, ends.map(write).join(between));
  return element("p", { class: "interval" }, levelChoice(model), " interval ", range);
}

function levelChoice(model) {
  const options = levelsOf(model).map((one) => [one, percent(one)]);
  return choice("level", "Probability that it holds the answer", options, levelOf(model), (value) =>
    chooseLevel(Number(value)),
  );
}

/** How it is known where the answer lies. */
const METHODS = {
  "student-t": () =>
    "By the theory of least squares: exact when errors are normal, independent and equally large everywhere.",
  "student-t-ridge": () =>
    "By the theory of least squares, nearly: too narrow where the penalty is far larger than the data ask for.",
  conformal: (rows) =>
    `From the errors on ${rows === undefined ? "rows" : count(rows, "row")} held out: holds when new rows are like those.`,
};

/** Why there is no interval; where another level may have one, it can be chosen. */
function noInterval(model) {
  const [one, several] =
    model.task === "classification" ? ["prediction set", "prediction sets"] : ["interval", "intervals"];
  const line = (...content) => element("p", { class: "hint interval" }, content);
  const wanted = levelOf(model);
  if (wanted === undefined) {
    const rows = model.intervals?.held_out_rows;
    const why = rows ? `${count(rows, "row")} held out are too few` : "it was trained without held-out rows";
    return line(`This model has no ${several}: ${why}.`);
  }
  const refused = model.forgone[String(["interval", wanted])];
  if (!refused || refused.code === "unknown_key") return null;
  return line(levelChoice(model), ` No ${one}: ${refused.message.replace(/\.$/, "")}.`);
}

/** Round numbers from below `low` to above `high`, about so many steps. */
function ticks(low, high, steps) {
  const rough = (high - low) / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough) ?? 10 * power;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, position) => (first + position) * step);
}

function scale(value, [low, high]) {
  const width = high - low;
  const wanted = [Math.min(low, value) - width * 0.1, Math.max(high, value) + width * 0.1];
  if (scaleEnds) scaleEnds = [Math.min(scaleEnds[0], wanted[0]), Math.max(scaleEnds[1], wanted[1])];
  // An interval that a scale of earlier answers would make a dot gets one of its own.
  if (!scaleEnds || wanted[1] - wanted[0] < (scaleEnds[1] - scaleEnds[0]) / 4) scaleEnds = wanted;
  let marks;
  let labels;
  for (const steps of [4, 2, 1]) {
    marks = ticks(...scaleEnds, steps);
    const apart = Math.abs(marks[1] - marks[0]);
    labels = marks.map((mark) =>
      writer(marks, { width: apart * 10, compact: 1e4 })(Math.abs(mark) < apart / 2 ? 0 : mark),
    );
    // About as wide as they are written, with room between them.
    if (labels.join("").length * 8 + labels.length * 12 < byId("said").clientWidth) break;
  }
  const [start, end] = [marks[0], marks.at(-1)];
  // Ends of an astronomic interval have no width in doubles: there is nothing to draw.
  if (!Number.isFinite(start) || !Number.isFinite(end) || end <= start || marks.length > 12) return null;
  const at = (point) => `${(((point - start) / (end - start)) * 100).toFixed(2)}%`;
  const share = `${((width / (end - start)) * 100).toFixed(2)}%`;
  const anchor = (position) => (position === 0 ? "start" : position === marks.length - 1 ? "end" : "middle");
  return element(
    "svg",
    {
      class: "scale",
      width: "100%",
      height: "60",
      role: "img",
      "aria-label": "The answer and its interval on a scale",
    },
    marks.map((mark) => element("line", { class: "grid", x1: at(mark), x2: at(mark), y1: "4", y2: "36" })),
    element("line", { class: "axis", x1: "0", x2: "100%", y1: "36", y2: "36" }),
    element("rect", { class: "span", x: at(low), width: share, y: "12", height: "12", rx: "6" }),
    element("circle", { class: "dot", cx: at(value), cy: "18", r: "8" }),
    marks.map((mark, position) =>
      element("text", { x: at(mark), y: "54", "text-anchor": anchor(position) }, labels[position]),
    ),
  );
}

const SHOWN_CLASSES = 10;

/** A bar a class: in the model's order, or the most probable ones of many. */
function classBars(shares, chosen) {
  let classes = Object.entries(shares);
  const all = classes.length;
  if (all > SHOWN_CLASSES) classes = classes.sort((a, b) => b[1] - a[1]).slice(0, SHOWN_CLASSES);
  const rows = classes.map(([label, share]) =>
    element(
      "tr",
      { class: label === chosen ? "chosen" : null },
      element("th", { scope: "row" }, breakable(label)),
      element("td", { class: "drawn" }, bar(0, share)),
      element("td", { title: String(share) }, percent(share)),
    ),
  );
  const more = all > SHOWN_CLASSES ? ` (the ${SHOWN_CLASSES} highest of ${all})` : "";
  const caption = element("caption", { class: more ? null : "unseen" }, `Probability of each class${more}`);
  return barTable(caption, rows);
}

/** A table of three columns: name, bar, number; the last as wide as its longest number. */
function barTable(caption, rows) {
  const columns = ["named", "drawn", "counted"].map((name) => element("col", { class: name }));
  const lengths = rows.map((row) => row.lastChild.textContent.length);
  columns[2].style.width = `${Math.max(6, ...lengths) + 1.5}ch`;
  return element("table", { class: "bars" }, caption, element("colgroup", {}, columns), element("tbody", {}, rows));
}

/** A bar between two shares of the width. */
function bar(from, to, kind = "up") {
  const x = `${(Math.min(from, to) * 100).toFixed(2)}%`;
  const width = `${Math.max(Math.abs(to - from) * 100, 0.4).toFixed(2)}%`;
  return element(
    "svg",
    { width: "100%", height: "14", "aria-hidden": "true" },
    element("line", { class: "axis", x1: `${from * 100}%`, x2: `${from * 100}%`, y1: "0", y2: "14" }),
    element("rect", { class: kind, x, width, y: "2", height: "10", rx: "2" }),
  );
}

function inWords({ code, feature, value, range, message }) {
  if (code === "outside_range" && range) {
    return `${feature}: ${number(value)} is outside the training range, ${number(range[0])} to ${number(range[1])}`;
  }
  if (code === "unknown_category") return `${feature}: ${JSON.stringify(value)} was not in the training data`;
  return feature === undefined ? capitalised(message) : `${feature}: ${message}`;
}

/** An error where the answer would be; the last answer would not belong to what the form says now. */
function showError(model, error) {
  const homeless = complain(error.faults ?? []);
  const atFields = (error.faults ?? []).length - homeless.length;
  const text = homeless[0] ?? (atFields > 0 ? null : error.message);
  const names = fields.filter(({ control }) => control.hasAttribute("aria-invalid")).map(({ feature }) => feature.name);
  const told = text ?? `No answer yet: ${names.join(", ")} ${names.length === 1 ? "needs" : "need"} another value.`;
  byId("said").replaceChildren(
    element("p", { class: "target" }, breakable(model.signature.target.name)),
    element("p", { class: "number none", "aria-hidden": "true" }, "–"),
    element("p", { class: "message" }, told),
  );
  byId("detail").replaceChildren();
  byId("why").hidden = true;
  say(told);
}
