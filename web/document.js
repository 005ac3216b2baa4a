// Creates elements. Data is inserted as text nodes and attributes, never as markup.

const SVG = new Set(["svg", "rect", "line", "circle", "text", "title"]);

/** The element with this id. */
const byId = (id) => document.getElementById(id);

/**
 * An element with attributes, listeners ("onclick") and children. Attributes and children that are null, undefined or
 * false are omitted.
 */
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

/** A name with line break opportunities after its underscores. */
const breakable = (name) =>
  name.split(/(?<=_)/).flatMap((part, position) => (position > 0 ? [element("wbr"), part] : [part]));

/** A select element; the options are pairs of value and text. */
function choice(id, label, options, chosen, onchange) {
  const made = options.map(([value, text]) => element("option", { value, selected: value === chosen }, text));
  const select = element("select", { id, "aria-label": label }, made);
  select.addEventListener("change", () => onchange(select.value));
  return select;
}

/** The end of the last confirmation. */
let confirmed;

/** A button that copies a text and confirms it. */
function copyButton(label, text) {
  const button = element("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    const message = (await copied(text(), button)) ? "Copied" : "Copying is not permitted";
    button.textContent = message;
    byId("status").textContent = message;
    clearTimeout(confirmed);
    confirmed = setTimeout(() => {
      byId("status").textContent = "";
    }, 1500);
    setTimeout(() => {
      button.textContent = label;
    }, 1500);
  });
  return button;
}

/** Copies a text, and returns whether it succeeded. The clipboard is available to pages of HTTPS and localhost only. */
async function copied(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const place = element("textarea", { class: "sr-only", tabindex: "-1", "aria-hidden": "true" }, text);
    button.after(place);
    place.select();
    const done = document.execCommand("copy");
    place.remove();
    button.focus();
    return done;
  }
}

/**
 * JSON with one line per member, and lists of plain values (or one such list) on one line. Numbers keep their digits.
 */
function indented(json) {
  let depth = 0;
  const line = (change) => {
    depth += change;
    return `\n${"  ".repeat(depth)}`;
  };
  return json.replace(
    /"(?:[^"\\]|\\.)*"|\{\}|\[\[[^[\]{}"]*\]\]|\[(?:"(?:[^"\\]|\\.)*"|[^[\]{}"])*\]|[[\]{},:]/g,
    (part) => {
      if (part === "[" || part === "{") return part + line(1);
      if (part === "]" || part === "}") return line(-1) + part;
      if (part === ",") return part + line(0);
      return part === ":" ? ": " : part;
    },
  );
}

const capitalised = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
