// Formats numbers with their significant digits. Only zero is written as 0.

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** Numbers from here on have compact notation, such as 12.3M. */
const COMPACT = 1e7;

/** The power of ten of the first digit. */
const powerOf = (value) => (value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value))));

const isExtreme = (value) => value !== 0 && (Math.abs(value) < 1e-5 || Math.abs(value) >= 1e15);

function formatted(value, options) {
  const notation = isExtreme(value) ? { notation: "scientific" } : {};
  const text = new Intl.NumberFormat("en", { signDisplay: "negative", ...notation, ...options }).format(value);
  return text
    .replace(/E(.*)$/, (_, power) => ` × 10${[...power].map((one) => SUPERSCRIPT[one]).join("")}`)
    .replace("-", "−");
}

/**
 * A number rounded to this power of ten. A number that would become 0 keeps three digits, or is written as less than
 * that power (`below`).
 */
function downTo(power, value, { signDisplay = "negative", compact = COMPACT, below = false } = {}) {
  const size = Math.abs(value);
  // Without compact notation, at least to units.
  if (size < compact) power = Math.min(power, 0);
  if (value !== 0 && size < 10 ** power / 2) {
    return below ? `${value < 0 ? "> −" : "< "}${downTo(power, 10 ** power)}` : alone(value, { signDisplay });
  }
  const digits = Math.min(Math.max(powerOf(value) - power + 1, 1), 17);
  if (isExtreme(value)) return formatted(value, { signDisplay, maximumFractionDigits: digits - 1 });
  if (size >= compact) return formatted(value, { signDisplay, notation: "compact", maximumSignificantDigits: digits });
  const decimals = Math.min(Math.max(-power, 0), 20);
  return formatted(value, { signDisplay, minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A number with three digits. */
const alone = (value, options) => downTo(powerOf(value) - 2, value, options);

/**
 * A formatter that rounds all numbers to the same power of ten, so that the largest has `digits` digits; or, for the
 * ends of an interval, so that its `width` has three digits.
 */
function writer(numbers, { digits = 4, width = 0, ...options } = {}) {
  const largest = powerOf(Math.max(...numbers.map(Math.abs), 0));
  let power = width > 0 ? Math.max(powerOf(width) - 2, largest - 15) : largest - digits + 1;
  if (numbers.every(Number.isInteger)) power = Math.max(power, 0);
  return (value) => downTo(power, value, options);
}

/** A formatter for a column: rounds its numbers to the same power of ten, except those far larger than most. */
function writerOfColumn(numbers) {
  const sizes = numbers.map(Math.abs).sort((one, other) => one - other);
  const limit = 1000 * sizes[Math.floor((sizes.length - 1) / 2)];
  const write = writer(numbers.filter((value) => Math.abs(value) <= limit));
  return (value) => (Math.abs(value) <= limit ? write(value) : alone(value));
}

/**
 * A formatter for a value and the ends of its interval. If the ends differ by a factor of 1000, each has three digits.
 */
function writerOfInterval(value, ends) {
  const [least, most] = ends.map(Math.abs).sort((one, other) => one - other);
  if (ends[0] * ends[1] > 0 && most > 1000 * least) return alone;
  return writer([value, ...ends], { width: ends[1] - ends[0] });
}

/** Whole numbers in this range are taken for years, which are written without grouping. */
const isYear = (value) => Number.isInteger(value) && value >= 1500 && value <= 2200;

/** A number with up to six digits. */
function number(value) {
  if (isYear(value)) return String(value);
  if (isExtreme(value)) return downTo(powerOf(value) - 3, value);
  const isLarge = Math.abs(value) >= COMPACT;
  const maximumSignificantDigits = isLarge ? 6 : Math.max(6, powerOf(value) + 1);
  return formatted(value, { maximumSignificantDigits, ...(isLarge && { notation: "compact" }) });
}

/** A fraction in percent. Only 0 and 1 are written as 0 % and 100 %. */
function percent(fraction) {
  if (fraction > 0 && fraction < 0.001) return "< 0.1 %";
  if (fraction < 1 && fraction > 0.999) return "> 99.9 %";
  return `${formatted(fraction * 100, { maximumFractionDigits: 1 })} %`;
}

/** The exponential of a logarithm as a change or a factor: −5.6 %, × 12.3. */
function factor(logarithm) {
  if (logarithm > Math.LN10) return `× ${alone(Math.exp(logarithm))}`;
  return `${downTo(-1, Math.expm1(logarithm) * 100, { signDisplay: "exceptZero", below: true })} %`;
}

/** "1 row", "2,000 rows". */
const count = (amount, one) => `${amount.toLocaleString("en")} ${one}${amount === 1 ? "" : "s"}`;
