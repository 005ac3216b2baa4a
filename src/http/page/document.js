// Elements, and numbers as people read them. Data becomes text nodes and attributes, never markup.

const SVG = new Set(["svg", "rect", "line", "circle", "text", "title"]);

/** The element of the page that has this id. */
const byId = (id) => document.getElementById(id);

/** An element with attributes, listeners ("onclick") and children. Attributes that are null, undefined or false stay away. */
function element(name, attributes = {}, ...children) {
  const made = SVG.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A name that may be broken after its underscores, where it is too long for its place. */
const breakable = (name) =>
  name.split(/(?<=_)/).flatMap((part, position) => (position > 0 ? [element("wbr"), part] : [part]));

/** A button that copies a text, and says that it did. */
function copyButton(label, text) {
  const button = element("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    let told = "Copied";
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      told = "The browser did not let us copy";
    }
    button.textContent = told;
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** Writes numbers that are read together alike: as many decimals as give the largest of them `digits` digits. */
function writer(numbers, { digits = 4, sign = "negative" } = {}) {
  const largest = Math.max(...numbers.map(Math.abs), 0);
  if (largest !== 0 && (largest < 1e-5 || largest >= 1e15)) {
    const format = new Intl.NumberFormat("en", {
      notation: "scientific",
      maximumFractionDigits: digits - 1,
      signDisplay: sign,
    });
    return (value) =>
      format
        .format(value)
        .replace(/E(.*)$/, (_, power) => ` × 10${[...power].map((one) => SUPERSCRIPT[one]).join("")}`)
        .replace("-", "−");
  }
  const wanted = largest === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(largest)));
  const decimals = numbers.every(Number.isInteger) ? 0 : wanted;
  const format = new Intl.NumberFormat("en", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    signDisplay: sign,
  });
  return (value) => format.format(value).replace("-", "−");
}

/** One number: no more digits than it has, and no more than six. */
function number(value) {
  if (value !== 0 && (Math.abs(value) < 1e-5 || Math.abs(value) >= 1e15)) return writer([value])(value);
  const digits = Math.max(6, Math.floor(Math.log10(Math.abs(value) || 1)) + 1);
  const format = new Intl.NumberFormat("en", {
    maximumSignificantDigits: Math.min(digits, 21),
    signDisplay: "negative",
  });
  return format.format(value).replace("-", "−");
}

/** A probability: only what is certain is 0 % or 100 %. */
function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(share * 100)} %`;
}

const capitalised = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** "1 row", "2,000 rows". */
const count = (amount, one) => `${amount.toLocaleString("en")} ${one}${amount === 1 ? "" : "s"}`;
