// The form, made from a model's signature.

/** The fields of the model that is shown, in the signature's order. */
let fields = [];

/** The step of a slider: a power of ten, at least fifty of them in the range. */
function stepOf(feature) {
  const [low, high] = feature.range;
  if (feature.type === "long") return 1;
  return high > low ? 10 ** Math.floor(Math.log10((high - low) / 50)) : 1;
}

/** A number on the slider's grid and in the range, without the noise of binary fractions. */
function onGrid(feature, value) {
  const [low, high] = feature.range;
  const step = stepOf(feature);
  const rounded = Math.min(high, Math.max(low, Math.round(value / step) * step));
  return String(Number(rounded.toPrecision(12)));
}

/** A category that the training data did not have, where the model takes one. */
function unseen(levels) {
  let name = "another";
  while (levels.includes(name)) name += "_";
  return name;
}

/** What a feature can be chosen from; none for numbers. */
function choices(feature) {
  if (feature.type === "boolean") return ["true", "false"];
  return feature.type === "string" ? (feature.levels ?? []) : null;
}

const imputed = (feature) => (feature.missing === "reject" ? undefined : feature.missing?.impute);

function showFields(features, onchange) {
  fields = features.map((feature, position) => makeField(feature, `field-${position}`, onchange));
  byId("fields").replaceChildren(...fields.map((field) => field.root));
}

function makeField(feature, id, onchange) {
  const listed = choices(feature);
  const stands = imputed(feature);
  const described = `${id}-hint ${id}-message`;
  const hint = [];
  let control;
  let slider = null;
  if (listed) {
    const options = listed.map((level) => element("option", { value: level }, level));
    if (feature.unknown === "ignore") options.push(element("option", { value: unseen(listed) }, unseen(listed)));
    if (stands !== undefined) options.unshift(element("option", { value: "" }, "missing"));
    control = element("select", { id, "aria-describedby": described }, options);
  } else {
    // The keypad for decimals has no minus.
    const inputmode = feature.range?.[0] >= 0 ? "decimal" : "text";
    control = element("input", { id, type: "text", inputmode, spellcheck: "false", "aria-describedby": described });
  }
  if (feature.range) {
    const [low, high] = feature.range;
    const step = stepOf(feature);
    // For hands on a mouse or a screen; the keyboard has the arrow keys in the field itself.
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
      element("span", { class: "unseen" }, " to "),
      element("span", { title: high }, number(high)),
    );
  }
  if (stands !== undefined) {
    const value = typeof stands === "number" ? number(stands) : String(stands);
    hint.push(element("span", { class: "row" }, `if ${listed ? "missing" : "empty"}: ${value}`));
  }
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
    { class: "field" },
    element("label", { for: id }, breakable(feature.name)),
    control,
    slider,
    element("p", { id: `${id}-hint`, class: "hint ends" }, hint),
    message,
  );
  const has = (text) => !listed || [...control.options].some(({ value }) => value === text);
  return {
    feature,
    root,
    control,
    get value() {
      return control.value;
    },
    /** A category that is not in the list becomes one of it: call `takes` before. */
    set value(text) {
      if (!has(text)) control.append(element("option", { value: text }, text));
      control.value = text;
      settle();
    },
    /** Whether it can have this value: a list has its own, and any other where the model takes one. */
    takes: (text) => has(text) || (feature.unknown === "ignore" && text !== ""),
    /** Says what is wrong with the value, or with nothing that it is right; a doubt does not make it wrong. */
    complain(text = "", isDoubt = false) {
      message.textContent = text;
      root.classList.toggle("doubtful", isDoubt);
      if (text && !isDoubt) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

/** Fills all fields with the first row of those to begin with. */
function fillFirst({ examples }) {
  for (const field of fields) field.value = String(examples[0][field.feature.name]);
}

/**
 * Fills all fields with a row like those of the training data: a mixture of two examples, whose numbers depend on each other as
 * those of the examples do.
 */
function fillRandom({ examples, typical }) {
  const first = Math.floor(Math.random() * examples.length);
  const second = (first + 1 + Math.floor(Math.random() * (examples.length - 1))) % examples.length;
  const angle = Math.random() * 2 * Math.PI;
  for (const field of fields) {
    const { range, name } = field.feature;
    const [one, other] = [examples[first][name], examples[second][name]];
    const mean = typical[name] ?? (range && (range[0] + range[1]) / 2);
    if (range)
      field.value = onGrid(field.feature, mean + Math.cos(angle) * (one - mean) + Math.sin(angle) * (other - mean));
    else field.value = String(one);
  }
}

/** Fills the form from a row of CSV, alone or under its header; says what came of it. */
function fillFromCsv(text) {
  const names = fields.map((field) => field.feature.name);
  const records = readCsv(text, names);
  if (records.length === 0) return "";
  const [first, second] = records.map(({ fields }) => fields);
  const header = first.map((name) => name.trim());
  let places = names.map((_, position) => position);
  let row = first;
  if (header.some((name) => names.includes(name))) {
    if (twice(header)) return `The header has ${twice(header)} twice.`;
    places = names.map((name) => header.indexOf(name));
    row = second;
    const lacking = names.filter((_, position) => places[position] < 0);
    if (lacking.length > 0) return `The header lacks ${lacking.join(", ")}.`;
    if (!row) return "There is a header, and no row under it.";
  }
  if (row.length !== (row === first ? names.length : first.length)) {
    const wanted =
      row === first ? `the model takes ${names.length}: ${names.join(", ")}` : `the header has ${first.length}`;
    return `The row has ${count(row.length, "value")}; ${wanted}.`;
  }
  const values = fields.map(({ feature }, position) => meant(feature, row[places[position]]));
  const wrong = fields.findIndex((field, position) => !field.takes(values[position]));
  if (wrong >= 0) return `${names[wrong]} cannot be ${JSON.stringify(values[wrong])}: choose it from the list.`;
  for (const [position, field] of fields.entries()) field.value = values[position];
  return `Filled in ${count(names.length, "value")}.`;
}

/** The form's row as JSON text. */
const formRow = () =>
  `[{${fields.map(({ feature, value }) => `${JSON.stringify(feature.name)}:${cell(feature, value)}`).join(",")}}]`;

/** Shows each complaint at its field; the ones that belong to none come back. */
function complain(faults) {
  const homeless = [];
  for (const field of fields) field.complain();
  for (const fault of faults) {
    const name = /^#\/X\/0\/(.*)$/.exec(fault.pointer ?? "")?.[1];
    const wanted = name && decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
    const field = fields.find(({ feature }) => feature.name === wanted);
    if (field)
      field.complain(fault.code === "missing_value" ? "Needs a value." : plainly(fault.detail) + withPoint(field));
    else homeless.push(fault.detail);
  }
  return homeless;
}

/** What to write instead of a decimal comma. */
function withPoint({ value, feature }) {
  const isNumber = feature.type === "double" || feature.type === "long";
  return isNumber && /^\s*[+-]?\d+,\d+\s*$/.test(value) ? ` Write ${value.trim().replace(",", ".")}.` : "";
}

/** A fault's words without row and feature, for where both are plain to see. */
function plainly(detail) {
  const rest = detail.replace(/^row \d+: /, "").replace(/^feature "(?:[^"\\]|\\.)*" /, "");
  return `${capitalised(rest)}.`;
}
