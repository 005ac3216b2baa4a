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
  if (listed && listed.length > 0) {
    const options = listed.map((level) => element("option", { value: level }, level));
    if (feature.unknown === "ignore")
      options.push(element("option", { value: unseen(listed) }, "another, not in the training data"));
    if (stands !== undefined) options.unshift(element("option", { value: "" }, "missing"));
    control = element("select", { id, "aria-describedby": described }, options);
  } else {
    const inputmode = feature.type === "string" ? "text" : "decimal";
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
      element("span", {}, number(low)),
      element("span", { class: "unseen" }, " to "),
      element("span", {}, number(high)),
    );
  }
  if (stands !== undefined) {
    const value = typeof stands === "number" ? number(stands) : String(stands);
    hint.push(element("span", {}, `${listed ? "missing" : "empty"} means ${value}`));
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
  return {
    feature,
    root,
    control,
    get value() {
      return control.value;
    },
    set value(text) {
      control.value = text;
      settle();
    },
    /** Says what is wrong with the value, or with nothing that it is right; a doubt does not make it wrong. */
    complain(text = "", isDoubt = false) {
      message.textContent = text;
      root.classList.toggle("doubtful", isDoubt);
      if (text && !isDoubt) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

/** Fills all fields with the average row; where a feature has no average, with the middle of its range or its first level. */
function fillTypical({ typical = {} }) {
  for (const field of fields) {
    const { feature } = field;
    const [low, high] = feature.range ?? [];
    if (feature.range) field.value = onGrid(feature, typical[feature.name] ?? (low + high) / 2);
    else field.value = String(typical[feature.name] ?? choices(feature)?.[0] ?? "");
  }
}

/** Fills all fields with random values in their ranges. */
function fillRandom() {
  for (const field of fields) {
    const { feature } = field;
    const listed = choices(feature);
    if (feature.range)
      field.value = onGrid(feature, feature.range[0] + Math.random() * (feature.range[1] - feature.range[0]));
    else if (listed && listed.length > 0) field.value = listed[Math.floor(Math.random() * listed.length)];
    else field.value = "";
  }
}

/** Takes all numbers half of the way back to the average row: what is unusual about their combination falls to a quarter. */
function fillLessUnusual({ typical = {} }) {
  for (const field of fields) {
    const { feature } = field;
    if (feature.range && feature.name in typical)
      field.value = onGrid(feature, (Number(field.value) + typical[feature.name]) / 2);
  }
}

/** Fills the form from a row of CSV, alone or under its header; says what came of it. */
function fillFromCsv(text) {
  const records = readCsv(text);
  if (records.length === 0) return "";
  const names = fields.map((field) => field.feature.name);
  const [first, second] = records.map((record) => record.fields.map((value) => value.trim()));
  let places = names.map((_, position) => position);
  let row = first;
  if (first.some((value) => names.includes(value))) {
    places = names.map((name) => first.indexOf(name));
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
  for (const [position, field] of fields.entries()) {
    const value = meant(field.feature, row[places[position]]);
    field.value = value;
    if (field.control.value !== value)
      return `${field.feature.name} cannot be ${JSON.stringify(value)}: choose it from the list.`;
  }
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
    if (field) field.complain(fault.code === "missing_value" ? "Needs a value." : plainly(fault.detail));
    else homeless.push(fault.detail);
  }
  return homeless;
}

/** A fault's words without row and feature, for where both are plain to see. */
function plainly(detail) {
  const rest = detail.replace(/^row \d+: /, "").replace(/^feature "(?:[^"\\]|\\.)*" /, "");
  return `${capitalised(rest)}.`;
}
