// Requests to the API, and their responses.

/** The path of the API's root, which is that of the page without a trailing slash; it includes stage and base path. */
const BASE = location.pathname.replace(/\/+$/, "");

/** An error of the service (RFC 9457) or of the connection. */
class Problem extends Error {
  constructor(body, status, text) {
    super(body.detail ?? body.message ?? body.Message ?? `The service answered with status ${status}.`);
    this.code = body.code;
    this.faults = body.errors ?? [];
    this.text = text;
  }
}

/** The body of a response, as JSON and as text. */
async function call(path, options = {}) {
  let response;
  let text;
  try {
    response = await fetch(BASE + path, options);
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ detail: "No response from the service. Check that it runs and that you are online." });
  }
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    if (response.ok) throw new Problem({ detail: "The response of the service is not JSON." });
  }
  if (!response.ok) throw new Problem(body ?? {}, response.status, text);
  return { body, text };
}

/**
 * The value of a text by the service's rules for CSV: missing-value markers become an empty text, booleans lower-case.
 * Spaces around numbers and booleans are ignored, those of categories are not.
 */
function parsed(feature, typed) {
  const text = typed.trim();
  if (feature.levels?.includes(typed)) return typed;
  if (/^(na|n\/a|nan|null|none)?$/i.test(text)) return "";
  if (feature.type === "string") return typed;
  return feature.type === "boolean" && /^(true|True|TRUE|false|False|FALSE)$/.test(text) ? text.toLowerCase() : text;
}

/**
 * A text as JSON; numbers keep their digits. A text that is not of the feature's type becomes a string, which the
 * service rejects.
 */
function cell(feature, typed) {
  const text = parsed(feature, typed);
  if (text === "" && !feature.levels?.includes(text)) return "null";
  if (feature.type === "boolean") return text === "true" || text === "false" ? text : JSON.stringify(text);
  if (feature.type === "string") return JSON.stringify(text);
  const parts = /^([+-]?)0*(\d*)(?:\.(\d*))?(e[+-]?\d+)?$/i.exec(text);
  if (!parts || !/\d/.test(text.split(/e/i)[0])) return JSON.stringify(text);
  const [, sign, whole, fraction, power = ""] = parts;
  return `${sign === "-" ? "-" : ""}${whole || "0"}${fraction ? `.${fraction}` : ""}${power}`;
}

const pathOf = (model) =>
  `/models/${encodeURIComponent(model.name)}${model.several ? `/versions/${encodeURIComponent(model.version)}` : ""}`;

/** Predicts rows (JSON text). Options that the model or the service does not support are omitted from then on. */
async function predict(model, rows, options, signal) {
  for (;;) {
    const requested = Object.entries(options).filter(
      (option) => option[1] !== undefined && !(String(option) in model.unsupported),
    );
    const request = `{"X":${rows}${requested.map(([key, value]) => `,"${key}":${JSON.stringify(value)}`).join("")}}`;
    try {
      const headers = { "content-type": "application/json" };
      const called = await call(`${pathOf(model)}/predict`, { method: "POST", headers, body: request, signal });
      return { request, answer: called.body, text: called.text };
    } catch (error) {
      const rejected = requested.filter(([key]) => isUnsupported(error, key));
      if (rejected.length === 0) throw Object.assign(error, { request });
      for (const option of rejected) model.unsupported[String(option)] = error;
    }
  }
}

/** Whether an error means that this option is not supported, independent of the rows. */
function isUnsupported(error, option) {
  if (!(error instanceof Problem)) return false;
  if (error.code === "no_interval") return option === "interval";
  return error.code === "unknown_key" && error.faults.some(({ pointer }) => pointer === `#/${option}`);
}

const LEVELS = [0.8, 0.9, 0.95, 0.99];

/** The levels for which the model has intervals or prediction sets. */
const levelsOf = ({ intervals }) => LEVELS.filter((one) => intervals && one <= (intervals.max_level ?? 1));

/** The selected level, or else the next lower one that the model supports. */
const levelOf = (model) => levelsOf(model).findLast((one) => one <= level) ?? levelsOf(model)[0];
