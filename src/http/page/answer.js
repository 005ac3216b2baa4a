// The answer: a number with its interval on a scale, or a class with the probabilities of all.

const LEVELS = [0.8, 0.9, 0.95, 0.99];

/** The ends of the scale so far: it grows and does not jump while one tries values. */
let scaleEnds = null;

function showAnswer(model, { answer }, level, onlevel) {
  const { target } = model.signature;
  const value = answer.y[0];
  const parts = [];
  let spoken;
  if (model.task === "classification") {
    const shares = answer.probabilities?.[0];
    const sure = shares && shares[String(value)];
    parts.push(figure(target.name, String(value), value, sure === undefined ? null : `${percent(sure)} probability`));
    const labels = answer.label_sets?.[0].map(String).join(" or ");
    if (labels) parts.push(element("p", { class: "interval" }, levelChoice(level, onlevel), ": ", element("strong", {}, labels)));
    if (shares) parts.push(classBars(shares, String(value)));
    spoken = `${target.name}: ${value}${sure === undefined ? "" : `, ${percent(sure)}`}`;
    if (labels && labels !== String(value)) spoken += `; ${percent(level)}: ${labels}`;
  } else {
    const ends = answer.interval?.[0];
    const write = writer(ends ? [value, ...ends] : [value]);
    parts.push(figure(target.name, write(value), value));
    spoken = `${target.name}: ${write(value)}`;
    if (ends) {
      parts.push(intervalLine(ends, write, level, onlevel), scale(value, ends));
      spoken += `, between ${write(ends[0])} and ${write(ends[1])}`;
    }
  }
  if (model.forgone.interval) parts.push(noInterval(model, level, onlevel));
  const warnings = (answer.warnings ?? []).map(inWords);
  if (warnings.length > 0)
    parts.push(
      element(
        "ul",
        { class: "warnings" },
        warnings.map((text) => element("li", {}, text)),
      ),
    );
  for (const warning of answer.warnings ?? []) {
    fields
      .find(({ feature }) => feature.name === warning.feature)
      ?.complain(warning.code === "outside_range" ? "Outside the training range." : "Not in the training data.", true);
  }
  // The controls of the answer are made anew with it: whoever was at one stays there.
  const held = byId("said").contains(document.activeElement) ? document.activeElement.id : null;
  byId("said").replaceChildren(...parts.filter(Boolean));
  if (held) byId(held)?.focus();
  say([spoken, ...warnings].join(". "));
}

/** Tells those who listen instead of looking. */
function say(text) {
  if (byId("spoken").textContent !== text) byId("spoken").textContent = text;
}

function figure(name, text, exact, addition) {
  const shown = element("output", { class: text.length > 12 ? "long" : null, title: String(exact) }, text);
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

function intervalLine(ends, write, level, onlevel) {
  const range = element("strong", { title: `${ends[0]} to ${ends[1]}` }, `${write(ends[0])} – ${write(ends[1])}`);
  return element("p", { class: "interval" }, levelChoice(level, onlevel), " interval ", range);
}

function levelChoice(level, onlevel) {
  const options = LEVELS.map((one) => element("option", { value: one, selected: one === level }, percent(one)));
  const select = element("select", { id: "level", "aria-label": "Probability that it holds the answer" }, options);
  select.addEventListener("change", () => onlevel(Number(select.value)));
  return select;
}

/** Why there is no interval; where another level may have one, it can be chosen. */
function noInterval(model, level, onlevel) {
  const { code, message } = model.forgone.interval;
  if (code === "unknown_key") return null;
  const choice = /lower level/.test(message) ? [levelChoice(level, onlevel), " "] : [];
  return element("p", { class: "hint interval" }, choice, `No ${model.task === "classification" ? "set of labels" : "interval"}: ${message.replace(/\.$/, "")}.`);
}

/** Round numbers from below `low` to above `high`. */
function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough) ?? 10 * power;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, position) => (first + position) * step);
}

function scale(value, [low, high]) {
  const width = high - low || Math.abs(value) || 1;
  const wanted = [Math.min(low, value) - width * 0.1, Math.max(high, value) + width * 0.1];
  scaleEnds = scaleEnds ? [Math.min(scaleEnds[0], wanted[0]), Math.max(scaleEnds[1], wanted[1])] : wanted;
  const marks = ticks(...scaleEnds);
  const [start, end] = [marks[0], marks.at(-1)];
  // Ends of an astronomic interval have no width in doubles: there is nothing to draw.
  if (!Number.isFinite(start) || !Number.isFinite(end) || end <= start || marks.length > 12) return null;
  const at = (point) => `${(((point - start) / (end - start)) * 100).toFixed(2)}%`;
  const share = `${(((high - low) / (end - start)) * 100).toFixed(2)}%`;
  const write = writer(marks, { digits: 3 });
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
      element("text", { x: at(mark), y: "54", "text-anchor": anchor(position) }, write(mark)),
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

/** A table of three columns: name, bar, number. */
function barTable(caption, rows) {
  const columns = ["named", "drawn", "counted"].map((name) => element("col", { class: name }));
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
    element("p", { class: "target" }, model.signature.target.name),
    element("p", { class: "number none", "aria-hidden": "true" }, "–"),
    element("p", { class: "message" }, told),
  );
  byId("why").hidden = true;
  say(told);
}
