// Numbers as people read them.
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const UNKNOWN = "–";

function missing(number) {
  return number === null || number === undefined || Number.isNaN(number);
}

/** 1,234,567 */
export function count(number) {
  return missing(number) ? UNKNOWN : whole.format(number);
}

/** 950, 1.2 k, 34 k, 5.6 M */
export function short(number) {
  if (missing(number)) return UNKNOWN;
  const size = Math.abs(number);
  for (const [unit, of] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (size >= of) return `${(size >= 99.95 * of ? whole : tenth).format(number / of)} ${unit}`;
  }
  return (size < 10 && size % 1 ? tenth : whole).format(number);
}

/** 512 B, 1.5 MiB */
export function bytes(number) {
  if (missing(number)) return UNKNOWN;
  let [size, unit] = [number, "B"];
  for (const larger of ["KiB", "MiB", "GiB", "TiB"]) {
    if (size < 1024) break;
    [size, unit] = [size / 1024, larger];
  }
  return `${(size < 10 && unit !== "B" ? tenth : whole).format(size)} ${unit}`;
}

/** 0.4 ms, 12 ms, 3.2 s */
export function milliseconds(number) {
  if (missing(number)) return UNKNOWN;
  if (number >= 10_000) return duration(number / 1000);
  return number >= 1000 ? `${tenth.format(number / 1000)} s` : `${(number < 10 ? tenth : whole).format(number)} ms`;
}

/** 42 s, 3 min 5 s, 2 h 10 min, 4 d 3 h */
export function duration(seconds) {
  if (missing(seconds)) return UNKNOWN;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** 2026-01-31 12:34:56.789 in the browser's time zone; without the ms where they are 0. */
export function moment(ms) {
  if (missing(ms)) return UNKNOWN;
  const at = new Date(typeof ms === "number" ? ms : NaN);
  if (Number.isNaN(at.getTime())) return JSON.stringify(ms);
  const pad = (number, width = 2) => String(number).padStart(width, "0");
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  return ms % 1000 ? `${day} ${time}.${pad(at.getMilliseconds(), 3)}` : `${day} ${time}`;
}

/** "1 task", "2 tasks" */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}
