// The page: the routes of the document by protocol, each as a part that opens, and the place that the URL names.

const root = new URL(document.body.dataset.root, location.href);
const routes = document.querySelector("#routes");
const contents = document.querySelector("#contents ul");

/** The anchor of an operation. */
const anchor = (method, path) => `${method}-${path.replace(/[\s#:?&={}]/g, "-")}`;

/** An operation: its method and path, and the rest when it is opened. */
function operationElement(found) {
  const { id, method, path, operation } = found;
  const details = element(
    "details",
    { id, class: "operation" },
    element(
      "summary",
      {},
      element("span", { class: `method ${method.toLowerCase()}` }, method),
      " ",
      element(
        "code",
        {},
        path.split(/(?<=\/)/).flatMap((part) => [part, element("wbr")]),
      ),
      " ",
      element("span", { class: "notes" }, operation.summary),
    ),
  );
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    details.append(element("div", { class: "content" }, operationContent(found)));
  });
  return details;
}

/** The routes of a protocol. */
function group({ name, description }, operations) {
  const id = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  contents.lastElementChild.before(element("li", {}, element("a", { href: `#${id}` }, name)));
  return element(
    "section",
    { id, "aria-labelledby": `${id}-heading` },
    element("h2", { id: `${id}-heading` }, name),
    element("p", {}, prose(description)),
    operations.map(operationElement),
  );
}

/** Shows the part that the URL names. It may not have existed when the page was loaded. */
function follow() {
  let name = "";
  try {
    name = decodeURIComponent(location.hash.slice(1));
  } catch {
    // Not the address of a part.
  }
  const target = document.getElementById(name);
  if (!target) return;
  if (target.matches("details")) target.open = true;
  target.scrollIntoView();
}

function show({ info, paths, tags, components }) {
  const base = root.href.replace(/\/$/, "");
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      id: anchor(method, path),
      method: method.toUpperCase(),
      path,
      operation,
      components,
      base,
    })),
  );
  // The first paragraph introduces Ordinate; the others are about values and errors.
  const [, ...about] = info.description.split("\n\n");
  routes.replaceChildren(
    ...tags.map((tag) =>
      group(
        tag,
        operations.filter(({ operation }) => operation.tags[0] === tag.name),
      ),
    ),
  );
  document.querySelector("#about").replaceChildren(...about.map((text) => element("p", {}, prose(text))));
  routes.removeAttribute("aria-busy");
  follow();
}

addEventListener("hashchange", follow);
try {
  const response = await fetch(new URL("openapi.json", root));
  if (!response.ok) throw new Error(`openapi.json: status ${response.status}`);
  show(await response.json());
} catch (error) {
  routes.replaceChildren(element("p", { class: "trouble" }, `The routes cannot be shown: ${error.message}`));
}
