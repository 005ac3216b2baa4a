// Requests to the API, and their responses.

/** The path of the API's root, which is that of the page without a trailing slash; it includes stage and base path. */
const BASE = location.pathname.replace(/\/+$/, "");

/** An error of the service (RFC 9457) or of the connection. */
class Problem extends Error {
  constructor(body, status, text) {
    super(body.detail ?? body.message ?? body.Message ?? `The service answered with status ${status}.`);
    this.code = body.code;
    this.status = status;
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
  if (/^(na|n\/a|nan|null|none)?$/i.test(text) || feature.reading?.missing?.includes(text)) return "";
  if (feature.type === "string") return typed;
  const word = feature.type === "boolean" ? (feature.reading?.boolean ?? []).indexOf(text) : -1;
  if (word >= 0) return String(word === 1);
  return feature.type === "boolean" && /^(true|True|TRUE|false|False|FALSE)$/.test(text) ? text.toLowerCase() : text;
}

/** A field of a CSV row in the notation of the form, by the conventions of its feature. */
function converted(feature, typed) {
  const text = parsed(feature, typed);
  if (!feature.reading || text === "" || feature.type === "string" || feature.type === "boolean") return text;
  return feature.type === "date" ? isoDate(text, feature.reading.dates ?? []) : plainNumber(text, feature.reading);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** A number with a decimal point and without separators and signs. A text that does not fit is no number either. */
function plainNumber(text, { decimal = ".", thousands, currency, percent }) {
  let rest = text.replaceAll("\u2212", "-");
  if (currency) rest = rest.replace(currency, "");
  if (percent) rest = rest.replace(/%$/, "");
  rest = rest.replace(/\s+$|^\s+|(?<=^[+-])\s+/g, "").replace(/^\((.*)\)$/, "-$1");
  const space = "[ \\u00a0\\u202f\\u2009]";
  const separator = thousands === " " ? space : thousands && escaped(thousands);
  const grouped = separator ? `\\d{1,3}(?:${separator}\\d{3})+|\\d{1,2}(?:${separator}\\d{2})*${separator}\\d{3}|` : "";
  const parts = new RegExp(`^([+-]?)(${grouped}\\d*)(?:${escaped(decimal)}(\\d*))?(e[+-]?\\d+)?$`, "i").exec(rest);
  if (!parts || !/\d/.test(rest)) return `"${text}"`;
  const [, sign, whole, fraction, power = ""] = parts;
  return `${sign}${whole.replace(/\D/g, "")}${fraction ? `.${fraction}` : ""}${power}`;
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** A date in ISO 8601, if a text has one of these formats; a time may follow. */
function isoDate(text, formats) {
  const part = { Y: "(?<Y>\\d{4})", y: "(?<y>\\d\\d)", m: "(?<m>\\d\\d?)", d: "(?<d>\\d\\d?)" };
  part.b = part.B = "(?<b>[a-z]{3})[a-z]*\\.?";
  for (const format of formats) {
    const pattern = escaped(format).replace(/%(.)/g, (whole, name) => part[name] ?? whole);
    const found = new RegExp(`^${pattern}(?:[T ](?<time>\\d\\d?:.*))?$`, "i").exec(text)?.groups;
    if (!found) continue;
    const year = found.Y ?? `${Number(found.y) < 69 ? 20 : 19}${found.y}`;
    const month = found.m ?? String(MONTHS.indexOf(found.b.toLowerCase()) + 1);
    const day = `${year}-${month.padStart(2, "0")}-${(found.d ?? "1").padStart(2, "0")}`;
    if (month >= 1 && month <= 12) return found.time ? `${day}T${found.time.padStart(5, "0")}` : day;
  }
  return text;
}

/**
 * A text as JSON; numbers keep their digits. A text that is not of the feature's type becomes a string, which the
 * service rejects.
 */
function cell(feature, typed) {
  const text = parsed(feature, typed);
  if (text === "" && !feature.levels?.includes(text)) return "null";
  if (feature.type === "boolean") return text === "true" || text === "false" ? text : JSON.stringify(text);
  if (feature.type === "string" || feature.type === "date") return JSON.stringify(text);
  const parts = /^([+-]?)0*(\d*)(?:\.(\d*))?(e[+-]?\d+)?$/i.exec(text);
  if (!parts || !/\d/.test(text.split(/e/i)[0])) return JSON.stringify(text);
  const [, sign, whole, fraction, power = ""] = parts;
  return `${sign === "-" ? "-" : ""}${whole || "0"}${fraction ? `.${fraction}` : ""}${power}`;
}

/** The path of a model under the key by which it was requested. */
const pathOf = ({ key }) => `/models/${encodeURIComponent(key).replace("%40", "@")}`;

/**
 * Predicts rows: JSON text, or CSV with a header. Options that the model or the service does not support are omitted
 * from then on.
 */
async function predict(model, rows, options, signal, isCsv = false) {
  for (;;) {
    const requested = Object.entries(options).filter(
      (option) => option[1] !== undefined && !(String(option) in model.unsupported),
    );
    const members = requested.map(([key, value]) => `,"${key}":${JSON.stringify(value)}`).join("");
    const request = isCsv ? rows : `{"X":${rows}${members}}`;
    const query = isCsv ? `?${new URLSearchParams(requested)}` : "";
    try {
      const headers = { "content-type": isCsv ? "text/csv" : "application/json" };
      const called = await call(`${pathOf(model)}/predict${query}`, { method: "POST", headers, body: request, signal });
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
