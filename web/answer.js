// The answer: a number with its interval on a scale, or a class with the probabilities of all classes.

/** The ends of the scale. It grows with the answers, and does not change with every value. */
let scaleEnds = null;

/** The messages of warnings at their fields; others show the message of the warning. */
const FIELD_WARNINGS = {
  outside_range: "Outside the training range.",
  unknown_category: "Not in the training data.",
};

/** A larger prediction set is shown by its size. */
const LISTED_LABELS = 5;

function showAnswer(model, answer) {
  const { target } = model.signature;
  const value = answer.y[0];
  const main = [];
  const detail = [];
  let summary;
  let isExact = false;
  if (model.task === "classification") {
    const probabilities = answer.probabilities?.[0];
    const probability = probabilities?.[String(value)];
    const lead = probability === undefined ? null : `${percent(probability)} probability`;
    main.push(figure(target.name, String(value), value, lead));
    summary = `${target.name}: ${value}${lead ? `, ${lead}` : ""}`;
    const labels = answer.prediction_sets?.[0].map(String);
    if (labels) {
      const listed = labels.length > LISTED_LABELS ? [`${labels.length} classes`] : labels;
      const strong = listed.flatMap((label, place) => [place > 0 && ", ", element("strong", {}, breakable(label))]);
      const title = labels.join(", ");
      main.push(element("p", { class: "interval", title }, levelChoice(model), " prediction set: ", strong));
      if (labels.length > 1) summary += `; ${percent(levelOf(model))} prediction set: ${listed.join(", ")}`;
    }
    if (probabilities) detail.push(classBars(probabilities, String(value)));
  } else {
    const ends = answer.interval?.[0];
    // Only rounding errors give the interval a width.
    isExact = ends && ends[1] - ends[0] <= 1e-12 * Math.abs(value);
    const write = ends && !isExact ? writerOfInterval(value, ends) : number;
    main.push(figure(target.name, write(value), value));
    summary = `${target.name}: ${write(value)}`;
    if (isExact) main.push(element("p", { class: "interval" }, "The model fits its training rows exactly."));
    else if (ends) {
      main.push(intervalLine(model, ends, write));
      detail.push(scale(value, ends));
      summary += `, prediction interval ${write(ends[0])} to ${write(ends[1])}`;
      const mean = answer.mean_interval?.[0];
      if (mean) {
        const name = `${percent(levelOf(model))} confidence interval of the mean: `;
        detail.push(element("p", { class: "hint" }, name, rangeOf(mean, writerOfInterval(value, mean))));
      }
    }
  }
  const how = METHODS[answer.interval_method]?.(model.intervals?.held_out_rows);
  if (!answer.interval && !answer.prediction_sets) main.push(noInterval(model));
  else if (how && !isExact) detail.push(element("p", { class: "hint" }, how));
  const warnings = (answer.warnings ?? []).map(warningText);
  if (warnings.length > 0) {
    const items = warnings.map((text) => element("li", {}, text));
    detail.unshift(element("ul", { class: "warnings" }, items));
  }
  for (const warning of answer.warnings ?? []) {
    fields
      .find(({ feature }) => feature.name === warning.feature)
      ?.setMessage(FIELD_WARNINGS[warning.code] ?? `${capitalised(warning.message)}.`, true);
  }
  // The controls are created again with the answer; the focus stays on the same one.
  const focused = byId("prediction").contains(document.activeElement) ? document.activeElement.id : null;
  byId("prediction").replaceChildren(...main.filter(Boolean));
  byId("detail").replaceChildren(...detail.filter(Boolean));
  if (focused) byId(focused)?.focus();
  announce([summary, ...warnings].join(". "));
}

/** Announces the answer to screen readers. */
function announce(text) {
  if (byId("announcement").textContent !== text) byId("announcement").textContent = text;
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
  return element("p", { class: "interval" }, levelChoice(model), " prediction interval: ", rangeOf(ends, write));
}

/** Both ends of an interval. With a negative end, "to" instead of a dash, which could be read as a minus. */
function rangeOf(ends, write) {
  const between = ends[0] < 0 ? " to " : " – ";
  return element("strong", { class: "range", title: `${ends[0]} to ${ends[1]}` }, ends.map(write).join(between));
}

function levelChoice(model) {
  const options = levelsOf(model).map((one) => [one, percent(one)]);
  return choice("level", "Level", options, levelOf(model), (value) => chooseLevel(Number(value)));
}

/** A description of each interval method. */
const METHODS = {
  "student-t": () => "Student's t: exact if errors are independent, normal and of equal variance.",
  "student-t-ridge": () =>
    "Student's t, approximate: too narrow if the regularization is much stronger than the data require.",
  conformal: (rows) =>
    `Conformal, from ${rows === undefined ? "held-out rows" : count(rows, "held-out row")}: valid if new rows are like them.`,
  wald: () => "Normal approximation on the logarithmic scale: exact for many rows.",
};

/** The reason for a missing interval, with a choice of the level if another one may have an interval. */
function noInterval(model) {
  const [one, several] =
    model.task === "classification" ? ["prediction set", "prediction sets"] : ["interval", "intervals"];
  const line = (...content) => element("p", { class: "hint interval" }, content);
  const level = levelOf(model);
  if (level === undefined) {
    const rows = model.intervals?.held_out_rows;
    const why = rows ? `${count(rows, "held-out row")} are too few` : "it was trained without held-out rows";
    return line(`This model has no ${several}: ${why}.`);
  }
  const error = model.unsupported[String(["interval", level])];
  if (!error || error.code === "unknown_key") return null;
  return line(levelChoice(model), ` No ${one}: ${error.message.replace(/\.$/, "")}.`);
}

/** Round numbers from below `low` to above `high` in about `steps` steps. */
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
  const [least, most] = [Math.min(low, value), Math.max(high, value)];
  // The scale of numbers that cannot be negative, such as counts, begins at 0.
  const needed = [least < 0 ? least - width * 0.1 : Math.max(0, least - width * 0.1), most + width * 0.1];
  if (scaleEnds) scaleEnds = [Math.min(scaleEnds[0], needed[0]), Math.max(scaleEnds[1], needed[1])];
  // A much smaller interval than those of earlier answers starts a new scale.
  if (!scaleEnds || needed[1] - needed[0] < (scaleEnds[1] - scaleEnds[0]) / 4) scaleEnds = needed;
  let marks;
  let labels;
  for (const steps of [4, 2, 1]) {
    marks = ticks(...scaleEnds, steps);
    const apart = Math.abs(marks[1] - marks[0]);
    labels = marks.map((mark) =>
      writer(marks, { width: apart * 10, compact: 1e4 })(Math.abs(mark) < apart / 2 ? 0 : mark),
    );
    // Estimates the width of the labels and the space between them.
    if (labels.join("").length * 8 + labels.length * 12 < byId("prediction").clientWidth) break;
  }
  const [start, end] = [marks[0], marks.at(-1)];
  // The ends of very large intervals may be equal as doubles, or infinite.
  if (!Number.isFinite(start) || !Number.isFinite(end) || end <= start || marks.length > 12) return null;
  const at = (point) => `${(((point - start) / (end - start)) * 100).toFixed(2)}%`;
  const extent = `${((width / (end - start)) * 100).toFixed(2)}%`;
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
    element("rect", { class: "span", x: at(low), width: extent, y: "12", height: "12", rx: "6" }),
    element("circle", { class: "dot", cx: at(value), cy: "18", r: "8" }),
    marks.map((mark, position) =>
      element("text", { x: at(mark), y: "54", "text-anchor": anchor(position) }, labels[position]),
    ),
  );
}

const SHOWN_CLASSES = 10;

/** A bar per class, in the order of the model, or the most probable classes of many. */
function classBars(probabilities, chosen) {
  let classes = Object.entries(probabilities);
  const all = classes.length;
  if (all > SHOWN_CLASSES) classes = classes.sort((a, b) => b[1] - a[1]).slice(0, SHOWN_CLASSES);
  const rows = classes.map(([label, probability]) =>
    element(
      "tr",
      { class: label === chosen ? "chosen" : null },
      element("th", { scope: "row" }, breakable(label)),
      element("td", { class: "drawn" }, bar(0, probability)),
      element("td", { title: String(probability) }, percent(probability)),
    ),
  );
  const more = all > SHOWN_CLASSES ? ` (the ${SHOWN_CLASSES} highest of ${all})` : "";
  const caption = element("caption", { class: more ? null : "sr-only" }, `Probability of each class${more}`);
  return barTable(caption, rows);
}

/** A table of three columns: name, bar, number. The last is as wide as its longest number. */
function barTable(caption, rows) {
  const columns = ["named", "drawn", "counted"].map((name) => element("col", { class: name }));
  const lengths = rows.map((row) => row.lastChild.textContent.length);
  columns[2].style.width = `${Math.max(6, ...lengths) + 1.5}ch`;
  return element("table", { class: "bars" }, caption, element("colgroup", {}, columns), element("tbody", {}, rows));
}

/** A bar between two positions, as fractions of the width. */
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

function warningText({ code, feature, value, range, message }) {
  if (code === "outside_range" && range) {
    const [given, low, high] = [value, ...range].map((one) => (typeof one === "number" ? number(one) : one));
    return `${feature}: ${given} is outside the training range, ${low} to ${high}`;
  }
  if (code === "unknown_category") return `${feature}: ${JSON.stringify(value)} was not in the training data`;
  return feature === undefined ? capitalised(message) : `${feature}: ${message}`;
}

/** Shows an error in place of the answer, which would not belong to the values of the form. */
function showError(model, error) {
  const others = showFaults(error.faults ?? []);
  const atFields = (error.faults ?? []).length - others.length;
  const text = others[0] ?? (atFields > 0 ? null : error.message);
  const names = fields.filter(({ control }) => control.hasAttribute("aria-invalid")).map(({ feature }) => feature.name);
  const message = text ?? `Invalid value: ${names.join(", ")}.`;
  byId("prediction").replaceChildren(
    element("p", { class: "target" }, breakable(model.signature.target.name)),
    element("p", { class: "number none", "aria-hidden": "true" }, "–"),
    element("p", { class: "message" }, message),
  );
  byId("detail").replaceChildren();
  byId("why").hidden = true;
  announce(message);
}
