// Only the browser knows where the service is, stage and all.
const server = new URL(".", document.baseURI).href.replace(/\/$/, "");
for (const name of ["server-url", "default-api-server"]) document.querySelector("rapi-doc").setAttribute(name, server);

// On a narrow screen the reader leaves its navigation out: a list of the operations stands above it there. The links lead to the
// names that the reader gives them; a bare fragment would be one of <base>, another page.
const operations = document.querySelector("#operations");
const add = (method, path) => {
  const link = document.createElement("a");
  link.href = location.pathname + "#" + `${method}-${path}`.replace(/[\s#:?&={}]/g, "-");
  link.textContent = `${method.toUpperCase()} ${path}`;
  link.addEventListener("click", () => (operations.open = false));
  const entry = document.createElement("li");
  entry.append(link);
  operations.querySelector("ul").append(entry);
};
if (matchMedia("(max-width: 768px)").matches) {
  operations.open = location.hash === "";
  const list = ({ paths }) => {
    for (const [path, item] of Object.entries(paths)) Object.keys(item).forEach((method) => add(method, path));
  };
  fetch("openapi.json").then((answer) => answer.json()).then(list);
}
