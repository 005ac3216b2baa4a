// The form for the features of a model.

/** The fields of the current model, in the order of its signature. */
let fields = [];

/** The most letters of a category that fit next to the name of a feature. */
const SHORT_OPTION = 10;

/** The step of a slider: the largest power of ten with at least fifty steps in the range. */
function stepOf(feature) {
  const [low, high] = feature.range;
  if (feature.type === "long" || feature.whole) return 1;
  return high > low ? 10 ** Math.floor(Math.log10((high - low) / 50)) : 1;
}

/** A number rounded to a step of the slider and limited to the range, as text without binary rounding errors. */
function onGrid(feature, value) {
  const [low, high] = feature.range;
  const step = stepOf(feature);
  const rounded = Math.min(high, Math.max(low, Math.round(value / step) * step));
  return String(Number(rounded.toPrecision(12)));
}

/** A category that is not in the training data. */
function unknownCategory(levels) {
  let name = "another";
  while (levels.includes(name)) name += "_";
  return name;
}

/** The options of a feature, or null for a number or a date. A level of missing values is the option "missing". */
function choices(feature) {
  if (feature.type === "boolean") return ["true", "false"];
  const levels = feature.levels?.filter((level) => level !== feature.missing.category);
  return feature.type === "string" ? (levels ?? []) : null;
}

const imputed = ({ missing }) => (missing === "reject" ? undefined : (missing?.impute ?? missing?.category));

/** Whether a feature is a date with a time of day in the training data. */
const hasTime = ({ type, range }) => type === "date" && range.some((end) => end.includes("T"));

/** The field of a number or a date. The decimal keypad of phones has no minus. */
function inputOf(feature, attributes) {
  if (feature.type === "date")
    return element("input", { type: hasTime(feature) ? "datetime-local" : "date", step: "any", ...attributes });
  const inputmode = feature.range?.[0] >= 0 ? "decimal" : "text";
  return element("input", { type: "text", inputmode, spellcheck: "false", ...attributes });
}

/** A date as its field has it: local, and with a time only if the field has one. */
function dateText(feature, text) {
  if (text === "" || !hasTime(feature)) return text.slice(0, 10);
  return text.includes("T") || text.includes(" ") ? text.replace(" ", "T").replace(/Z$/i, "") : `${text}T00:00`;
}

/** A date and its time of day, if it has one, without seconds of 0. */
const dateInWords = (text) =>
  text
    .replace("T", " ")
    .replace(/Z$/, "")
    .replace(/(:\d\d):00(\.0+)?$/, "$1");

/** Whether a control does not fit next to the name of its feature. */
const isWide = (feature, options) =>
  feature.type === "date" || options.some(({ textContent }) => textContent.length > SHORT_OPTION);

function showFields(features, onchange) {
  fields = features.map((feature, position) => makeField(feature, `field-${position}`, onchange));
  byId("fields").replaceChildren(...fields.map((field) => field.root));
}

function makeField(feature, id, onchange) {
  const listed = choices(feature);
  const imputedValue = imputed(feature);
  const described = `${id}-hint ${id}-message`;
  const hint = [];
  const shownImputed = typeof imputedValue === "number" ? number(imputedValue) : String(imputedValue);
  let control;
  let slider = null;
  if (listed) {
    const options = listed.map((level) => element("option", { value: level }, level));
    if (feature.unknown === "ignore")
      options.push(element("option", { value: unknownCategory(listed) }, unknownCategory(listed)));
    if (imputedValue !== undefined) options.unshift(element("option", { value: "" }, "missing"));
    control = element("select", { id, "aria-describedby": described }, options);
  } else {
    const placeholder = imputedValue === undefined ? null : shownImputed;
    control = inputOf(feature, { id, placeholder, "aria-describedby": described });
  }
  if (feature.type === "date") hint.push(element("span", {}, feature.range.map(dateInWords).join(" to ")));
  else if (feature.range) {
    const [low, high] = feature.range;
    const step = stepOf(feature);
    // For mouse and touch; keyboard users have the arrow keys in the field.
    slider = element("input", {
      type: "range",
      min: low,
      max: high,
      step: "any",
      tabindex: "-1",
      "aria-hidden": "true",
    });
    slider.addEventListener("input", () => {
      control.value = onGrid(feature, Number(slider.value));
      onchange();
    });
    control.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!steps || !Number.isFinite(Number(control.value || NaN))) return;
      event.preventDefault();
      control.value = onGrid(feature, Number(control.value) + steps * step);
      settle();
      onchange();
    });
    hint.push(
      element("span", { title: low }, number(low)),
      element("span", { class: "sr-only" }, " to "),
      element("span", { title: high }, number(high)),
    );
  }
  if (imputedValue !== undefined)
    hint.push(element("span", { class: "row" }, `if ${listed ? "missing" : "empty"}: ${shownImputed}`));
  // The hint is visible while the field has the focus.
  if (feature.range)
    control.title = feature.range.map((end) => (feature.type === "date" ? end : number(end))).join(" to ");
  const message = element("p", { id: `${id}-message`, class: "message" });
  const settle = () => {
    if (slider && Number.isFinite(Number(control.value || NaN))) slider.value = control.value;
  };
  control.addEventListener("input", () => {
    settle();
    onchange();
  });
  const root = element(
    "div",
    { class: `field ${isWide(feature, [...(control.options ?? [])]) ? "wide" : ""}` },
    element("label", { for: id }, breakable(feature.name)),
    control,
    slider,
    element("p", { id: `${id}-hint`, class: "hint ends" }, hint),
    message,
  );
  const isDate = feature.type === "date";
  const has = (text) =>
    listed ? [...control.options].some(({ value }) => value === text) : !isDate || /^(\d{4}-\d\d-\d\d.*)?$/.test(text);
  const own = (text) => (isDate ? dateText(feature, text) : listed && text === feature.missing.category ? "" : text);
  return {
    feature,
    root,
    control,
    get value() {
      return control.value;
    },
    /** Adds a category that is not in the list. Call `accepts` before. */
    set value(text) {
      if (!has(own(text))) control.append(element("option", { value: text }, text));
      control.value = own(text);
      settle();
    },
    /** Whether the field can have this value: one of its list, or any other if the model accepts unknown categories. */
    accepts: (text) => has(own(text)) || (["ignore", "other"].includes(feature.unknown) && text !== ""),
    /** Shows an error or a warning, or removes it. */
    setMessage(text = "", isWarning = false) {
      message.textContent = text;
      root.classList.toggle("doubtful", isWarning);
      if (text && !isWarning) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

/** Fills all fields with the first example. */
function fillFirst({ examples }) {
  for (const field of fields) field.value = String(examples[0][field.feature.name]);
}

/**
 * Fills all fields with a synthetic row: a random mixture of two examples, which keeps the correlations of their
 * numbers.
 */
function fillRandom({ examples, typical }) {
  const first = Math.floor(Math.random() * examples.length);
  const second = (first + 1 + Math.floor(Math.random() * (examples.length - 1))) % examples.length;
  const angle = Math.random() * 2 * Math.PI;
  for (const field of fields) {
    const { range, name } = field.feature;
    const [one, other] = [examples[first][name], examples[second][name]];
    const mean = typical[name] ?? (range && (range[0] + range[1]) / 2);
    if (range && field.feature.type !== "date")
      field.value = onGrid(field.feature, mean + Math.cos(angle) * (one - mean) + Math.sin(angle) * (other - mean));
    else field.value = String(one);
  }
}

/** The first row of a JSON text by name or by position, as in a request: `{"X": …}`, rows, columns, or one row. */
function rowOfJson(text) {
  let value = JSON.parse(text);
  if (value?.X !== undefined) value = value.X;
  if (Array.isArray(value) && typeof value[0] === "object" && value[0] !== null) value = value[0];
  const isRow = typeof value === "object" && value !== null;
  if (!isRow) throw new Error('Expected a row, such as [1, 2] or {"a": 1}.');
  const first = (cell) => (Array.isArray(cell) ? cell[0] : cell);
  const typed = (cell) => (cell === null || cell === undefined ? "" : String(first(cell) ?? ""));
  return Array.isArray(value)
    ? value.map(typed)
    : new Map(Object.entries(value).map(([name, cell]) => [name, typed(cell)]));
}

/** Fills the form from a row of JSON, and returns a message. */
function fillFromJson(text) {
  const row = rowOfJson(text);
  const names = fields.map((field) => field.feature.name);
  if (Array.isArray(row)) {
    if (row.length !== names.length) return wrongWidth(row.length, names);
    return fill(row);
  }
  const missing = names.filter((name) => !row.has(name));
  if (missing.length > 0) return `Missing in the row: ${missing.join(", ")}.`;
  return fill(names.map((name) => row.get(name)));
}

const wrongWidth = (width, names) =>
  `Got ${count(width, "value")}, expected ${count(names.length, "value")}: ${names.join(", ")}.`;

/** Fills the form from a row of JSON, or of CSV with or without a header, and returns a message. */
const fillFromText = (text) => (/^\s*[{[]/.test(text) ? fillFromJson(text) : fillFromCsv(text));

/** Fills the form from a CSV row, with or without a header, and returns a message. */
function fillFromCsv(text) {
  const names = fields.map((field) => field.feature.name);
  const records = readCsv(text, names);
  if (records.length === 0) return "";
  const [first, second] = records.map(({ fields }) => fields);
  const header = first.map((name) => name.trim());
  let places = names.map((_, position) => position);
  let row = first;
  if (header.some((name) => names.includes(name))) {
    if (duplicateIn(header)) return `The header contains ${duplicateIn(header)} twice.`;
    places = names.map((name) => header.indexOf(name));
    row = second;
    const missing = names.filter((_, position) => places[position] < 0);
    if (missing.length > 0) return `Missing in the header: ${missing.join(", ")}.`;
    if (!row) return "There is no row after the header.";
  }
  if (row.length !== (row === first ? names.length : first.length)) {
    if (row === first) return wrongWidth(row.length, names);
    return `Got ${count(row.length, "value")}, expected ${first.length} as in the header.`;
  }
  return fill(fields.map(({ feature }, position) => converted(feature, row[places[position]])));
}

/** Fills the form with these values, unless a field does not accept its value, and returns a message. */
function fill(values) {
  const names = fields.map((field) => field.feature.name);
  const wrong = fields.findIndex((field, position) => !field.accepts(values[position]));
  if (wrong >= 0) {
    const reason = fields[wrong].feature.type === "date" ? "a date" : "in the list";
    return `${names[wrong]}: ${JSON.stringify(values[wrong])} is not ${reason}.`;
  }
  for (const [position, field] of fields.entries()) field.value = values[position];
  return `Filled in ${count(names.length, "value")}.`;
}

/** The form's row as JSON text. */
const formRow = () =>
  `[{${fields.map(({ feature, value }) => `${JSON.stringify(feature.name)}:${cell(feature, value)}`).join(",")}}]`;

/** Shows faults at their fields, and returns those without a field. */
function showFaults(faults) {
  const others = [];
  for (const field of fields) field.setMessage();
  for (const fault of faults) {
    const name = /^#\/X\/0\/(.*)$/.exec(fault.pointer ?? "")?.[1];
    const decoded = name && decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
    const field = fields.find(({ feature }) => feature.name === decoded);
    if (field)
      field.setMessage(fault.code === "missing_value" ? "Needs a value." : shortened(fault.detail) + withPoint(field));
    else others.push(fault.detail);
  }
  return others;
}

/** A suggestion for a number with a decimal comma. */
function withPoint({ value, feature }) {
  const isNumber = feature.type === "double" || feature.type === "long";
  return isNumber && /^\s*[+-]?\d+,\d+\s*$/.test(value) ? ` Write ${value.trim().replace(",", ".")}.` : "";
}

/** The message of a fault without row and feature, to show at the field. */
function shortened(detail) {
  const rest = detail.replace(/^row \d+: /, "").replace(/^feature "(?:[^"\\]|\\.)*" /, "");
  return `${capitalised(rest)}.`;
}
