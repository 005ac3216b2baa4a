// The service: what it is asked, and what it answers.

/** The page stands at the API's root, with or without a stage, a base path and a slash at the end. */
const BASE = location.pathname.replace(/\/+$/, "");

/** What the service, or the way to it, says is wrong (RFC 9457). */
class Problem extends Error {
  constructor(body, status, text) {
    super(body.detail ?? body.message ?? body.Message ?? `The service answered with status ${status}.`);
    this.code = body.code;
    this.faults = body.errors ?? [];
    this.text = text;
  }
}

/** An answer's content, and its text. */
async function call(path, options = {}) {
  let response;
  let text;
  try {
    response = await fetch(BASE + path, options);
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ detail: "The service did not answer. Is it running, and are you online?" });
  }
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    if (response.ok) throw new Problem({ detail: "The service's answer is not JSON." });
  }
  if (!response.ok) throw new Problem(body ?? {}, response.status, text);
  return { body, text };
}

/**
 * What a text means, by the rule that the service has for CSV: words for no value, and booleans as programs write them. Spaces
 * around numbers and booleans play no part; categories are compared as they are.
 */
function meant(feature, typed) {
  const text = typed.trim();
  if (feature.levels?.includes(typed)) return typed;
  if (/^(na|n\/a|nan|null|none)?$/i.test(text)) return "";
  if (feature.type === "string") return typed;
  return feature.type === "boolean" && /^(true|True|TRUE|false|False|FALSE)$/.test(text) ? text.toLowerCase() : text;
}

/**
 * A text as JSON, with the very digits that were typed. What is not of the feature's type is sent as a string, and refused.
 */
function cell(feature, typed) {
  const text = meant(feature, typed);
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

/** Predicts rows (JSON text). An option that the model or the service does not have is left out from then on. */
async function predict(model, rows, options, signal) {
  for (;;) {
    const asked = Object.entries(options).filter(
      (option) => option[1] !== undefined && !(String(option) in model.forgone),
    );
    const request = `{"X":${rows}${asked.map(([key, value]) => `,"${key}":${JSON.stringify(value)}`).join("")}}`;
    try {
      const headers = { "content-type": "application/json" };
      const called = await call(`${pathOf(model)}/predict`, { method: "POST", headers, body: request, signal });
      return { request, answer: called.body, text: called.text };
    } catch (error) {
      const refused = asked.filter(([key]) => refuses(error, key));
      if (refused.length === 0) throw Object.assign(error, { request });
      for (const option of refused) model.forgone[String(option)] = error;
    }
  }
}

/** Whether a problem is that this option cannot be had, whatever the rows are. */
function refuses(error, option) {
  if (!(error instanceof Problem)) return false;
  if (error.code === "no_interval") return option === "interval";
  return error.code === "unknown_key" && error.faults.some(({ pointer }) => pointer === `#/${option}`);
}

const LEVELS = [0.8, 0.9, 0.95, 0.99];

/** The levels that the model has intervals (or prediction sets) of. */
const levelsOf = ({ intervals }) => LEVELS.filter((one) => intervals && one <= (intervals.max_level ?? 1));

/** The level that is asked for: the wanted one, or the next below it that the model has. */
const levelOf = (model) => levelsOf(model).findLast((one) => one <= level) ?? levelsOf(model)[0];
