// Only the browser knows the URL of the service with its stage.
const server = new URL(".", document.baseURI).href.replace(/\/$/, "");
for (const name of ["server-url", "default-api-server"]) document.querySelector("rapi-doc").setAttribute(name, server);

// On a narrow screen the reader hides its navigation, so the page shows a list of operations above it. The links are
// the anchors of the reader; a fragment alone would refer to <base>, which is another page.
const operations = document.querySelector("#operations");
const add = (method, path) => {
  const link = document.createElement("a");
  const id = `${method}-${path}`.replace(/[\s#:?&={}]/g, "-");
  link.href = `${location.pathname}#${id}`;
  link.textContent = `${method.toUpperCase()} ${path}`;
  link.addEventListener("click", () => (operations.open = false));
  const entry = document.createElement("li");
  entry.append(link);
  operations.querySelector("ul").append(entry);
};
if (matchMedia("(max-width: 768px)").matches) {
  operations.open = location.hash === "";
  const list = ({ paths }) => {
    for (const [path, item] of Object.entries(paths)) for (const method of Object.keys(item)) add(method, path);
  };
  fetch("openapi.json")
    .then((response) => response.json())
    .then(list);
}
