// One operation: its parameters and its body as a form, the types, the answer, the errors. Data is inserted as text.

/** An element with attributes, listeners ("onclick") and children; what is null, undefined or false is omitted. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute.startsWith("on")) made.addEventListener(attribute.slice(2), value);
    else if (value === true) made.setAttribute(attribute, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(attribute, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Text in which the parts between backticks are code. */
const prose = (text) => text.split("`").map((part, position) => (position % 2 ? element("code", {}, part) : part));

/** JSON in lines: lists of values and small objects are one line. */
function pretty(value, indent = "") {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || value === null) return line;
  const isFlat = Object.values(value).every((part) => typeof part !== "object" || part === null);
  if (isFlat && line.length + indent.length < 72) return line.replaceAll(",", ", ").replaceAll('":', '": ');
  const inner = `${indent}  `;
  if (Array.isArray(value)) return `[\n${value.map((part) => inner + pretty(part, inner)).join(",\n")}\n${indent}]`;
  const members = Object.entries(value).map(
    ([name, part]) => `${inner}${JSON.stringify(name)}: ${pretty(part, inner)}`,
  );
  return `{\n${members.join(",\n")}\n${indent}}`;
}

const asText = (value) => (typeof value === "string" ? value : pretty(value));

/** A block of code, which the keyboard can scroll. */
const block = (label, text) => element("pre", { tabindex: "0", role: "region", "aria-label": label }, text);

/** A closed part with a title, whose content is created when it opens. */
function fold(title, content) {
  const details = element("details", {}, element("summary", {}, title));
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(...content()));
  return details;
}

/** The field of a parameter. */
function parameterField(parameter, id) {
  const { schema, name } = parameter;
  const options = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  const choices = options && (parameter.required ? options : ["", ...options]);
  const input = choices
    ? element(
        "select",
        { id },
        choices.map((value) => element("option", { value }, value === "" ? "not sent" : value)),
      )
    : element("input", { id, type: "text", autocomplete: "off", placeholder: "not sent" });
  const notes = [schema.type, limits(schema), `in the ${parameter.in}`].filter(Boolean).join(", ");
  return {
    parameter,
    input,
    field: element(
      "div",
      { class: "field" },
      element("label", { for: id }, element("code", {}, name), element("span", { class: "notes" }, ` ${notes}`)),
      input,
      element("p", { class: "notes" }, prose(parameter.description ?? "")),
    ),
  };
}

/** The examples of the contents of a body: media type, name, value. */
const examplesOf = (content = {}) =>
  Object.entries(content).flatMap(([type, { examples = {} }]) =>
    Object.entries(examples).map(([name, { value }]) => ({ type, name, value })),
  );

/** A shell command for the request. */
function curl(method, url, headers, body) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [`curl -s ${quoted(url)}`];
  if (method === "POST" && body === undefined) parts.push("-X POST");
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) parts.push(`--data-raw ${quoted(body)}`);
  return parts.join(" \\\n  ");
}

/** The form that sends a request, and its answer. */
function requestForm({ id, method, path, operation, components, base }) {
  const parameters = (operation.parameters ?? []).map((part) => resolve(part, components));
  const fields = parameters.map((parameter, position) => parameterField(parameter, `${id}-${position}`));
  const content = resolve(operation.requestBody, components)?.content;
  const examples = examplesOf(content);
  const types = Object.keys(content ?? {});
  const chosen = element(
    "select",
    { id: `${id}-example` },
    examples.map(({ name, type }, value) => element("option", { value }, `${name.replaceAll("_", " ")} (${type})`)),
  );
  const body = element("textarea", { id: `${id}-body`, rows: "8", spellcheck: "false", autocomplete: "off" });
  const command = block("Command", "");
  const status = element("p", { class: "status", role: "status" });
  const answer = block("Answer", "");
  answer.hidden = true;

  const request = () => {
    let filled = path;
    const query = new URLSearchParams();
    const headers = {};
    for (const { parameter, input } of fields) {
      if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value !== "" && parameter.in === "query") query.set(parameter.name, input.value);
      else if (input.value !== "") headers[parameter.name] = input.value;
    }
    if (content) headers["content-type"] = examples[chosen.value]?.type ?? types[0];
    const search = query.size > 0 ? `?${query}` : "";
    return { url: `${base}${filled}${search}`, headers, body: content ? body.value : undefined };
  };
  const update = () => {
    const { url, headers, body } = request();
    command.textContent = curl(method, url, headers, body);
  };
  const choose = () => {
    body.value = asText(examples[chosen.value]?.value ?? "");
    body.rows = Math.min(16, body.value.split("\n").length + 1);
    update();
  };
  const send = async (event) => {
    event.preventDefault();
    const { url, headers, body } = request();
    status.textContent = "Sending…";
    try {
      const response = await fetch(url, { method, headers, body });
      const text = await response.text();
      status.textContent = `Status ${response.status}`;
      const isJson = /^application\/([^;]+\+)?json\b/.test(response.headers.get("content-type") ?? "");
      answer.textContent = isJson ? pretty(JSON.parse(text)) : text;
      answer.hidden = text === "";
    } catch (error) {
      status.textContent = `The request failed: ${error.message}`;
      answer.hidden = true;
    }
  };
  const form = element(
    "form",
    { onsubmit: send, oninput: update },
    fields.length > 0 &&
      element(
        "div",
        { class: "parameters" },
        fields.map(({ field }) => field),
      ),
    content && [
      element("div", { class: "field" }, element("label", { for: chosen.id }, "Example"), chosen),
      element("div", { class: "field" }, element("label", { for: body.id }, "Body"), body),
    ],
    element("button", {}, "Send"),
    status,
    answer,
  );
  chosen.addEventListener("change", choose);
  choose();
  return [form, fold("Command", () => [command])];
}

/** The type of a body or an answer, for each media type. */
function typeFold(title, content, components) {
  if (!content) return null;
  return fold(title, () =>
    Object.entries(content)
      .flatMap(([type, { schema }]) => [
        element("p", { class: "notes" }, type, schema.description ? ` – ${schema.description}` : ""),
        schema.$ref || schema.properties ? block(`${title}: ${type}`, describeType(schema, components.schemas)) : null,
      ])
      .filter(Boolean),
  );
}

/** The answers by status; codes of errors are links to their descriptions. */
function responses(operation, components) {
  const rows = Object.entries(operation.responses).map(([status, part]) => {
    const { description } = resolve(part, components);
    const isError = status >= "400";
    const linked = (code) => element("a", { href: `#error-${code}` }, element("code", {}, code));
    const codes = description.match(/[a-z0-9_]+/g) ?? [];
    return element(
      "li",
      {},
      element("b", {}, status),
      " ",
      isError ? codes.flatMap((code) => [linked(code), " "]) : description,
    );
  });
  return fold("Statuses and errors", () => [element("ul", { class: "statuses" }, rows)]);
}

/** The content of an operation. */
function operationContent(found) {
  const { operation, components } = found;
  const answer = resolve(operation.responses["200"], components);
  return [
    operation.description && element("p", {}, prose(operation.description)),
    ...requestForm(found),
    typeFold("Type of the request", resolve(operation.requestBody, components)?.content, components),
    typeFold("Type of the answer", answer?.content, components),
    responses(operation, components),
  ].filter(Boolean);
}
