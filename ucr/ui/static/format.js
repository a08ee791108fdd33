// How figures, times and amounts are written. A value that is not known is a dash.

export const DASH = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

const isKnown = (value) => typeof value === "number" && Number.isFinite(value);

export function count(value) {
  if (!isKnown(value)) return DASH;
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
}

export function rate(value) {
  if (!isKnown(value)) return DASH;
  if (value === 0) return "0";
  if (value < 0.01) return "<0.01";
  return value < 10 ? trimmed(value.toFixed(value < 1 ? 2 : 1)) : count(value);
}

export function milliseconds(value) {
  if (!isKnown(value)) return DASH;
  if (value < 10) return `${trimmed(value.toFixed(1))} ms`;
  if (value < 1000) return `${Math.round(value)} ms`;
  return value < 100_000 ? `${trimmed((value / 1000).toFixed(2))} s` : `${count(value / 1000)} s`;
}

export function money(value) {
  if (!isKnown(value)) return DASH;
  if (value === 0) return "$0";
  const digits = value >= 100 ? 0 : value >= 1 ? 2 : value >= 0.01 ? 3 : 5;
  const written = value.toFixed(digits);
  return Number(written) === 0 ? "<$0.00001" : `$${digits > 2 ? trimmed(written) : written}`;
}

export function share(value) {
  if (!isKnown(value)) return DASH;
  const percent = value * 100;
  return `${percent > 0 && percent < 10 ? trimmed(percent.toFixed(1)) : Math.round(percent)} %`;
}

export function bytes(value) {
  if (!isKnown(value)) return DASH;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) [value, at] = [value / 1000, at + 1];
  return `${value < 10 && at ? trimmed(value.toFixed(1)) : Math.round(value)} ${units[at]}`;
}

export function duration(seconds) {
  if (!isKnown(seconds)) return DASH;
  const parts = [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = Math.max(0, parts.findIndex(([length]) => seconds >= length));
  if (seconds < 1) return "0 s";
  const [length, unit] = parts[at];
  const rest = at < 3 ? Math.floor((seconds % length) / parts[at + 1][0]) : 0;
  return `${Math.floor(seconds / length)} ${unit}${rest ? ` ${rest} ${parts[at + 1][1]}` : ""}`;
}

export const time = (at) => clock.format(new Date(at));

export function moment(at) {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date().toDateString();
  return isToday ? clock.format(then) : `${day.format(then)} ${clock.format(then)}`;
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
