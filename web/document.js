// Elements. Data becomes text nodes and attributes, never markup.

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

/** A choice of values, each with its words. */
function choice(id, label, options, chosen, onchange) {
  const made = options.map(([value, text]) => element("option", { value, selected: value === chosen }, text));
  const select = element("select", { id, "aria-label": label }, made);
  select.addEventListener("change", () => onchange(select.value));
  return select;
}

/** A button that copies a text, and says that it did. */
function copyButton(label, text) {
  const button = element("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    const told = (await copied(text(), button)) ? "Copied" : "The browser did not let us copy";
    button.textContent = told;
    byId("told").textContent = told;
    setTimeout(() => {
      button.textContent = label;
      byId("told").textContent = "";
    }, 1500);
  });
  return button;
}

/** Copies a text; whether that was possible. Only pages from https and this very machine have the browser's clipboard. */
async function copied(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const place = element("textarea", { class: "unseen", tabindex: "-1", "aria-hidden": "true" }, text);
    button.after(place);
    place.select();
    const done = document.execCommand("copy");
    place.remove();
    button.focus();
    return done;
  }
}

/** JSON with a line for each member, and a list of plain values (or one such list) on one; every digit as it stands. */
function indented(json) {
  let depth = 0;
  const line = (change) => `\n${"  ".repeat((depth += change))}`;
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
