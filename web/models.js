// The list of models, and the model to start with.

/** With more models than these, the list scrolls and has a filter. */
const FEW_MODELS = 12;

/** The number of models to look at for one to start with. */
const TRIED_MODELS = 3;

/** The names of the models so far, and the `next` of the list if there are more. */
let models = [];
let next;

/** Requests the first names, or the next ones, and lists them. */
async function listModels(after) {
  const { body } = await call(after === undefined ? "/models" : `/models?${new URLSearchParams({ after })}`);
  models = after === undefined ? body.models : [...models, ...body.models];
  next = body.next;
  const links = body.models.map(({ name }) =>
    element("li", {}, element("a", { href: `#${encodeURIComponent(name)}` }, name)),
  );
  if (after === undefined) byId("models").replaceChildren(...links);
  else byId("models").append(...links);
  byId("more-models").hidden = next === undefined;
  const isLong = next !== undefined || models.length > FEW_MODELS;
  byId("filter").hidden = !isLong;
  byId("catalog").classList.toggle("long", isLong);
  filterModels();
  return links[0];
}

function filterModels() {
  const text = byId("filter").value.trim().toLowerCase();
  for (const item of byId("models").children) item.hidden = !item.textContent.toLowerCase().includes(text);
}

/** Marks a model in the list, and scrolls the list to it. */
function markModel(key) {
  const list = byId("models");
  for (const [position, item] of [...list.children].entries()) {
    if (models[position].name !== key) {
      item.firstChild.removeAttribute("aria-current");
      continue;
    }
    item.firstChild.setAttribute("aria-current", "page");
    const { offsetTop, offsetHeight } = item;
    const isSeen = offsetTop >= list.scrollTop && offsetTop + offsetHeight <= list.scrollTop + list.clientHeight;
    if (!isSeen) list.scrollTop = offsetTop;
  }
}

/** The model in the address: a name, or a name with an alias or a version, such as `risk@canary`. */
function keyOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

async function describe(key, signal) {
  return { ...(await call(pathOf({ key }), { signal })).body, key };
}

/** The description of a model, or of the one to start with if the service does not know it, with the error. */
async function findModel(key, signal) {
  if (key === "") return firstModel(signal);
  try {
    return await describe(key, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    return { ...(await firstModel(signal)), unknown: error.message };
  }
}

/**
 * The default model, unless it has a single feature, as the tutorial's `line` has: then the next one in the list that
 * has several features and intervals. Looks at a few models only, because each of them is loaded, and at more if they
 * cannot be loaded.
 */
async function firstModel(signal) {
  const start = models.find((model) => model.default) ?? models[0];
  if (!start) throw new Error("The service has no models.");
  let first = null;
  let failure = null;
  for (const [tried, { name }] of [start, ...models.filter((model) => model !== start)].entries()) {
    if (first && tried > TRIED_MODELS) break;
    const found = await describe(name, signal).catch((error) => {
      failure ??= error;
    });
    if (signal.aborted) break;
    if (found?.signature.features.length > 1 && (name === start.name || found.intervals)) return found;
    first ??= found;
  }
  if (!first) throw failure;
  return first;
}

byId("filter").addEventListener("input", filterModels);
byId("filter").addEventListener("keydown", ({ key }) => {
  const found = key === "Enter" && byId("models").querySelector("li:not([hidden]) a");
  if (found) location.hash = found.hash;
});
byId("more-models").addEventListener("click", async () => {
  try {
    const added = await listModels(next);
    // The button may be gone.
    added?.firstChild.focus();
  } catch (error) {
    byId("status").textContent = error.message;
  }
});
