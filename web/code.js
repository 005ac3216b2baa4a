// The last request as code, and its response.

/** The languages of the code, in the order of their tabs. */
const LANGUAGES = { curl: curlCode, Python: pythonCode, JavaScript: javascriptCode };

let language = "curl";

function curlCode(url, request) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return `curl -s ${quoted(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(request)}`;
}

/** The strings of JSON are strings of Python and of JavaScript too. */
const outsideStrings = (json, pattern, replace) =>
  json.replace(/"(?:[^"\\]|\\.)*"|[^"]+/g, (part) => (part.startsWith('"') ? part : part.replace(pattern, replace)));

const spaced = (json) => outsideStrings(json, /[,:]/g, "$& ");

function pythonCode(url, request) {
  const names = { true: "True", false: "False", null: "None" };
  const value = outsideStrings(spaced(request), /true|false|null/g, (name) => names[name]);
  return `import requests

url = ${JSON.stringify(url)}
response = requests.post(url, json=${value})
response.raise_for_status()
print(response.json())`;
}

function javascriptCode(url, request) {
  // A literal would round large integers, and set the prototype.
  const isText = /(?<![.\d])\d{16,}(?![.\d])|"__proto__":/.test(request);
  return `const url = ${JSON.stringify(url)};
const response = await fetch(url, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: ${isText ? JSON.stringify(request) : `JSON.stringify(${spaced(request)})`},
});
if (!response.ok) throw new Error(await response.text());
console.log(await response.json());`;
}

/** A text in a box that shows whole lines and scrolls, with a heading and a button that copies the text. */
function callPart(heading, called, attributes = {}) {
  let copied = "";
  const code = element("code", { tabindex: "0", role: "region", "aria-label": `Text of ${called}` });
  const copy = copyButton(`Copy ${called}`, () => copied);
  const root = element(
    "div",
    {},
    element("div", { class: "heading" }, heading, copy),
    element("pre", attributes, code),
  );
  return {
    root,
    show(text, shown = text) {
      copied = text;
      code.textContent = shown;
    },
  };
}

/** The tabs of the languages. As in other lists of tabs, the arrow keys choose, and only the chosen one is a tab stop. */
function languageTabs() {
  const names = Object.keys(LANGUAGES);
  const tabs = names.map((name) =>
    element("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "program" }, name),
  );
  const choose = (chosen) => {
    language = names[chosen];
    for (const [position, tab] of tabs.entries()) {
      tab.setAttribute("aria-selected", String(position === chosen));
      tab.tabIndex = position === chosen ? 0 : -1;
    }
    byId("program")?.setAttribute("aria-labelledby", tabs[chosen].id);
    showCode();
  };
  for (const [position, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(position));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const other = (position + step + tabs.length) % tabs.length;
      choose(other);
      tabs[other].focus();
    });
  }
  choose(0);
  return element("div", { class: "tabs", role: "tablist", "aria-label": "Language" }, tabs);
}

/** The last request and its response. */
let lastCall = null;
const codePart = callPart(languageTabs(), "the code", {
  id: "program",
  role: "tabpanel",
  "aria-labelledby": "tab-curl",
});
const requestPart = callPart(element("h3", {}, "Request"), "the request");
const responsePart = callPart(element("h3", {}, "Response"), "the response");
byId("calls").append(codePart.root, requestPart.root, responsePart.root);

function showCode() {
  if (lastCall) codePart.show(LANGUAGES[language](lastCall.url, lastCall.request));
}

/** Shows the last request as code and as JSON, and its response. */
function showCalls(model, call) {
  lastCall = { url: `${location.origin}${BASE}${pathOf(model)}/predict`, request: call.request };
  showCode();
  requestPart.show(call.request, indented(call.request));
  responsePart.show(call.text ?? "", indented(call.text ?? ""));
}
