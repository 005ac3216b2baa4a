// The contribution of each feature to the answer.

const SHOWN_REASONS = 10;

/** Whether all contributions are shown, and for which class; kept when values change. */
const shownReasons = { all: false, label: null };

function showReasons(model, answer) {
  const { explanation } = answer;
  byId("why").hidden = !explanation;
  if (!explanation) return;
  const byClass = typeof explanation.base === "object";
  const labels = byClass ? Object.keys(explanation.base) : [];
  const label = labels.includes(shownReasons.label) ? shownReasons.label : String(answer.y[0]);
  const pick = (value) => (byClass ? value[label] : value);
  const again = () => showReasons(model, answer);
  const focused = byId("why").contains(document.activeElement) ? document.activeElement.id : null;
  const base = pick(explanation.base);
  const reasons = Object.entries(explanation.contributions[0]).map(([name, value]) => ({ name, size: pick(value) }));
  reasons.sort((a, b) => Math.abs(b.size) - Math.abs(a.size));
  const score = reasons.reduce((sum, { size }) => sum + size, base);
  const few = shownReasons.all || reasons.length <= SHOWN_REASONS + 1 ? reasons : reasons.slice(0, SHOWN_REASONS);
  const others = reasons.slice(few.length);
  const rows = few.map(({ name, size }) => ({ name, size, value: usedValue(answer, name) }));
  if (others.length > 0)
    rows.push({ name: `${others.length} others`, size: others.reduce((sum, { size }) => sum + size, 0) });

  const sizes = [base, score, ...rows.map(({ size }) => size)];
  const isFactor = explanation.unit === "log-target";
  const write = isFactor ? factor : writer(sizes, { signDisplay: "exceptZero", below: true });
  const plain = isFactor ? (logarithm) => alone(Math.exp(logarithm)) : writer(sizes);
  const at = placed(rows, leastExtent(answer, base));
  const row = ({ name, size, value }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, breakable(name), " ", value !== undefined && element("small", {}, value)),
      element("td", { class: "drawn" }, bar(at(0), at(size), size < 0 ? "down" : "up")),
      element("td", { title: String(size) }, write(size)),
    );
  const sum = (name, value) =>
    element(
      "tr",
      { class: "sum" },
      element("th", { scope: "row", colspan: "2" }, name),
      element("td", { title: String(value) }, plain(value)),
    );
  const unit = unitOf(model, explanation, byClass ? label : null);
  const caption = element("caption", {}, unit.caption);
  const table = barTable(caption, [sum("An average row", base), ...rows.map(row), sum(unit.total, score)]);
  const more = element(
    "button",
    { type: "button", class: "quiet", id: "more-reasons", "aria-expanded": String(shownReasons.all) },
    shownReasons.all ? `Only the ${SHOWN_REASONS} largest` : `All ${reasons.length}`,
  );
  more.addEventListener("click", () => {
    shownReasons.all = !shownReasons.all;
    again();
    byId("more-reasons").focus();
  });
  byId("why-actions").replaceChildren(
    ...(byClass ? [classChoice(labels, label, again)] : []),
    ...(reasons.length > SHOWN_REASONS + 1 ? [more] : []),
  );
  byId("reasons").replaceChildren(table);
  if (focused) byId(focused)?.focus();
}

/** The value of a feature in the form, or the imputed one. */
function usedValue({ warnings = [] }, name) {
  const imputed = warnings.find(({ code, feature }) => code === "imputed" && feature === name);
  if (imputed) return `${typeof imputed.value === "number" ? number(imputed.value) : imputed.value} (imputed)`;
  const field = fields.find(({ feature }) => feature.name === name);
  return field && (field.value.trim() || "missing");
}

/** A function from a size to its position on the chart, which contains all sizes and is at least `least` wide. */
function placed(rows, least) {
  const sizes = rows.map(({ size }) => size);
  const [low, high] = [Math.min(0, ...sizes), Math.max(0, ...sizes)];
  const width = Math.max(high - low, least) || 1;
  const start = (low + high - width) / 2;
  return (size) => (size - start) / width;
}

/** The minimum width of the chart: a tenth of the interval, or 0.1 for logarithms and scores. */
function leastExtent({ interval, explanation }, base) {
  if (explanation.unit !== "target") return 0.1;
  return interval ? (interval[0][1] - interval[0][0]) / 10 : Math.abs(base) / 1000;
}

function classChoice(labels, label, again) {
  const options = labels.map((one) => [one, one]);
  return choice("reason-class", "Class to explain", options, label, (value) => {
    shownReasons.label = value;
    again();
  });
}

/** The caption of the table, and the name of the sum of all contributions. */
function unitOf(model, { unit, class: explained }, label) {
  const target = model.signature.target.name;
  if (model.task === "classification") {
    const name = label ?? String(explained);
    const score = label === null ? "log-odds" : "score";
    const caption = `Contributions to the ${score} of ${name}: left against it, right for it`;
    return { caption, total: `${capitalised(score)} of ${name}` };
  }
  if (unit === "log-target") return { caption: `Factors of ${target}, relative to an average row`, total: "Product" };
  return { caption: `Contributions to ${target}, relative to an average row`, total: "Sum" };
}
