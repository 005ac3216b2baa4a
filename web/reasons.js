// Why: what each value adds to the answer, and what it takes away.

const SHOWN_REASONS = 10;

/** Whether all reasons are shown, and for which class: kept while one tries values. */
const reasonsWanted = { all: false, label: null };

function showReasons(model, answer) {
  const { explanation } = answer;
  byId("why").hidden = !explanation;
  if (!explanation) return;
  const byClass = typeof explanation.base === "object";
  const labels = byClass ? Object.keys(explanation.base) : [];
  const label = labels.includes(reasonsWanted.label) ? reasonsWanted.label : String(answer.y[0]);
  const pick = (value) => (byClass ? value[label] : value);
  const again = () => showReasons(model, answer);
  const held = byId("why").contains(document.activeElement) ? document.activeElement.id : null;
  byId("why-class").replaceChildren(...(byClass ? [classChoice(labels, label, again)] : []));

  const base = pick(explanation.base);
  const reasons = Object.entries(explanation.contributions[0]).map(([name, value]) => ({ name, size: pick(value) }));
  reasons.sort((a, b) => Math.abs(b.size) - Math.abs(a.size));
  const score = reasons.reduce((sum, { size }) => sum + size, base);
  const few = reasonsWanted.all || reasons.length <= SHOWN_REASONS + 1 ? reasons : reasons.slice(0, SHOWN_REASONS);
  const others = reasons.slice(few.length);
  const rows = few.map(({ name, size }) => ({
    name,
    size,
    value: fields.find(({ feature }) => feature.name === name)?.value,
  }));
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
      element(
        "th",
        { scope: "row" },
        breakable(name),
        " ",
        value !== undefined && element("small", {}, value.trim() || "missing"),
      ),
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
    { type: "button", class: "quiet", id: "more-reasons", "aria-expanded": String(reasonsWanted.all) },
    reasonsWanted.all ? `Only the ${SHOWN_REASONS} largest` : `All ${reasons.length}`,
  );
  more.addEventListener("click", () => {
    reasonsWanted.all = !reasonsWanted.all;
    again();
    byId("more-reasons").focus();
  });
  const content = [table];
  if (reasons.length > SHOWN_REASONS + 1) content.push(element("p", { class: "actions" }, more));
  byId("reasons").replaceChildren(...content);
  if (held) byId(held)?.focus();
}

/** Where on the chart a size is, which holds all of them and is no narrower than `least`. */
function placed(rows, least) {
  const sizes = rows.map(({ size }) => size);
  const [low, high] = [Math.min(0, ...sizes), Math.max(0, ...sizes)];
  const width = Math.max(high - low, least) || 1;
  const start = (low + high - width) / 2;
  return (size) => (size - start) / width;
}

/** Bars shorter than all of the chart: a tenth of what the answer is uncertain by, or of a factor e. */
function leastExtent({ interval, explanation }, base) {
  if (explanation.unit !== "target") return 0.1;
  return interval ? (interval[0][1] - interval[0][0]) / 10 : Math.abs(base) / 1000;
}

function classChoice(labels, label, again) {
  const options = labels.map((one) => [one, one]);
  return choice("reason-class", "The class that is explained", options, label, (value) => {
    reasonsWanted.label = value;
    again();
  });
}

/** What the bars are measured in. */
function unitOf(model, { unit, class: explained }, label) {
  const target = model.signature.target.name;
  if (model.task === "classification") {
    const told = label ?? String(explained);
    const total = label === null ? `Log-odds of ${told}` : `Score of ${told}`;
    return { caption: `What speaks for ${told} (right) and against it (left)`, total };
  }
  if (unit === "log-target")
    return {
      caption: `By how much each value raises or lowers ${target}, from an average row on`,
      total: "Multiplied together",
    };
  return { caption: `How each value moves ${target} away from that of an average row`, total: "Together" };
}
