// Rows of stores as tables: keys, times, and values by their fields where these have the same.
import { html, useState } from "./html.js";
import { EmptyText } from "./components/record_part.js";
import { count, moment } from "./figures.js";

const MOST_FIELDS = 7;
const LONGEST = 1_000; // a value may have a million characters, and a page fifty of them

/** Columns for rows as `/stores/{name}` answers them. */
export function rowColumns(rows, kind) {
  const timed = kind === "window" || kind === "session";
  const fields = commonFields(rows.map(({ value }) => value).filter((value) => value !== null));
  return [
    { name: "key", title: "Key", cell: ({ key }) => (key === "" ? html`<${EmptyText} />` : html`<strong class="mono"><${Text} text=${plain(key)} /></strong>`) },
    ...(timed ? [{ name: "start", title: kind === "window" ? "Window" : "Session", cell: ({ start, end }) => html`<span class="small">${moment(start)} <span class="muted">to</span> ${moment(end)}</span>` }] : []),
    ...(fields
      ? fields.map((field) => ({ name: field, title: field, numeric: rows.every(({ value }) => value === null || typeof value[field] === "number"), cell: ({ value }) => (value === null ? gone() : html`<${Value} value=${value[field]} />`) }))
      : [{ name: "value", title: "Value", wide: true, cell: ({ value }) => (value === null ? gone() : html`<${Value} value=${value} />`) }]),
    { name: "timestamp", title: "Timestamp", cell: ({ timestamp }) => html`<span class="small muted">${moment(timestamp)}</span>` },
  ];
}

export function rowKey({ key, start, end, timestamp, id }) {
  return id ?? `${JSON.stringify(key)} ${start} ${end} ${timestamp}`;
}

function gone() {
  return html`<span class="muted">deleted</span>`;
}

export function Value({ value }) {
  if (value === "") return html`<${EmptyText} />`;
  if (typeof value === "number") return html`<span title=${String(value)}>${Number.isInteger(value) ? count(value) : Number(value.toFixed(3)) || Number(value.toPrecision(3))}</span>`;
  return html`<span class="mono"><${Text} text=${plain(value)} /></span>`;
}

/** Of a long text the beginning, until somebody wants all of it. */
function Text({ text }) {
  const [whole, setWhole] = useState(false);
  if (text.length <= LONGEST) return text;
  return html`${whole ? text : `${text.slice(0, LONGEST)}… `}<button type="button" class="quiet" aria-expanded=${String(whole)} onClick=${() => setWhole(!whole)}>
    ${whole ? "less" : `all ${count(text.length)} characters`}</button>`;
}

export function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The names of the fields if all values are objects with few of them, else null. */
function commonFields(values) {
  const names = new Set();
  for (const value of values) {
    if (typeof value !== "object" || Array.isArray(value) || JSON.isRawJSON?.(value)) return null;
    for (const name of Object.keys(value)) names.add(name);
  }
  return names.size && names.size <= MOST_FIELDS ? [...names] : null;
}
