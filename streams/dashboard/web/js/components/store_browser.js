// Looks into one store: a key, a range, a span of time, page by page; or its changes as they come.
import { html, useEffect, useState } from "../html.js";
import { useAsk } from "../asking.js";
import { counted } from "../figures.js";
import { reword } from "../router.js";
import { rowColumns, rowKey } from "../store_rows.js";
import { useChanges } from "../watching.js";
import { Badge } from "./badge.js";
import { Empty, Waiting } from "./empty.js";
import { Panel } from "./page.js";
import { Problem } from "./problem.js";
import { Table } from "./table.js";

const PAGE_ROWS = 50;
const EMPTY_KEYS = ["String", "Bytes"]; // whose keys can be empty

/** What is asked is in the route's `words`: key, first, last, prefix, from, to, partition, reverse, watch; `empty` stands
 * for the key that is the empty text, as words that are empty are none. */
export function StoreBrowser({ store, words }) {
  const watching = words.watch === "true";
  return html`<${Question} key=${store.name} store=${store} words=${words} />
    ${watching ? html`<${Changes} store=${store} word=${wantedKey(words)} />` : html`<${Rows} store=${store} words=${words} />`}`;
}

/** Null: none by itself. */
function wantedKey({ key, empty }) {
  return empty === "true" ? "" : (key ?? null);
}

function called(key) {
  return key === "" ? "the empty key" : `“${key}”`;
}

function isTimed({ kind }) {
  return kind === "window" || kind === "session";
}

function Question({ store, words }) {
  const [draft, setDraft] = useState(words);
  useEffect(() => setDraft(words), [JSON.stringify(words)]);
  const empty = draft.empty === "true";
  const own = empty ? { empty: "true" } : { key: draft.key };
  const one = empty || Boolean(draft.key);
  const field = (name, label, more = {}) => html`<label>${label}
    <input value=${draft[name] ?? ""} onInput=${(event) => setDraft({ ...draft, [name]: event.target.value })} ...${more} /></label>`;
  const look = (event) => {
    event.preventDefault();
    reword(one ? { ...own, from: draft.from, to: draft.to } : { ...draft, watch: null });
  };
  const partitions = Object.keys(store.owners);
  return html`<${Panel}><form class="form" onSubmit=${look} aria-label="What to look for">
    ${field("key", "Key", { placeholder: empty ? "the empty text" : "exactly this one", disabled: empty })}
    ${EMPTY_KEYS.includes(store.key_type) && !draft.key && html`<label class="inline"><input type="checkbox" checked=${empty} onChange=${(event) => setDraft({ ...draft, empty: event.target.checked ? "true" : null })} />The empty key</label>`}
    ${!one && html`${field("prefix", "Begins with", { disabled: Boolean(draft.first || draft.last) })}
      ${field("first", "From key", { disabled: Boolean(draft.prefix) })} ${field("last", "To key", { disabled: Boolean(draft.prefix) })}
      ${!store.global && partitions.length > 1 && html`<label>Partition <select value=${draft.partition ?? ""} onChange=${(event) => setDraft({ ...draft, partition: event.target.value })}>
        <option value="">all</option>${partitions.map((number) => html`<option selected=${draft.partition === number}>${number}</option>`)}</select></label>`}`}
    ${isTimed(store) && html`${field("from", "From time", { placeholder: "2026-01-31T12:00:00Z" })} ${field("to", "To time", { placeholder: "or ms since 1970" })}`}
    ${!one && html`<label class="inline"><input type="checkbox" checked=${draft.reverse === "true"} onChange=${(event) => setDraft({ ...draft, reverse: event.target.checked ? "true" : null })} />Last first</label>`}
    <button type="submit" class="primary">Look</button>
    <button type="button" aria-pressed=${String(words.watch === "true")} onClick=${() => reword(words.watch ? { ...words, watch: null } : { ...own, watch: "true" })}>
      ${words.watch ? "Stop watching" : one ? "Watch this key" : "Watch changes"}</button>
    ${Object.keys(words).length > 0 && html`<button type="button" class="quiet" onClick=${() => reword({})}>Clear</button>`}
  </form><//>`;
}

function Rows({ store, words }) {
  const { key: _key, empty: _empty, watch, ...scope } = words;
  const key = wantedKey(words);
  const [cursors, setCursors] = useState([]);
  useEffect(() => setCursors([]), [JSON.stringify(words)]);
  const { path, asked } = question(store.name, key, scope);
  const { data, error, asking, again } = useAsk(path, { ...asked, cursor: cursors.at(-1) });
  if (error?.reason === "absent") return html`<${Panel}><${Empty} title=${`Nothing for ${key === "" ? "" : "the key "}${called(key)}`}>Watch this key to see when something comes.<//><//>`;
  if (error && !data) return html`<${Problem} error=${error} again=${again} />`;
  if (!data) return html`<${Waiting} />`;
  const rows = data.rows ?? [data];
  const actions = html`<button type="button" disabled=${asking} onClick=${again}>Read again</button>
    <button type="button" disabled=${!cursors.length} onClick=${() => setCursors(cursors.slice(0, -1))}>Previous</button>
    <button type="button" disabled=${!data.next} onClick=${() => setCursors([...cursors, data.next])}>Next</button>`;
  return html`<${Problem} error=${error} again=${again} />
    <${Panel} title=${`${counted(rows.length, "row")}${cursors.length || data.next ? `, page ${cursors.length + 1}` : ""}`} actions=${actions} flush>
    <${Table} label=${`Rows of ${store.name}`} columns=${rowColumns(rows, store.kind)} rows=${rows} rowKey=${rowKey}
      empty=${html`<${Empty} title="No rows here">${Object.keys(words).length ? "Nothing fits what was asked for." : "Nothing has been kept yet: see whether records come in, on the topology’s page."}<//>`} /><//>`;
}

/** A key is a part of the path; `.` and `..` would be taken for steps in it, so that they are asked for as ranges. */
function question(name, key, scope) {
  const path = `/stores/${encodeURIComponent(name)}`;
  const times = { from: scope.from, to: scope.to };
  if (key === null) return { path, asked: { ...scope, limit: PAGE_ROWS } };
  if (key === "." || key === "..") return { path, asked: { ...times, first: key, last: key, limit: PAGE_ROWS } };
  return { path: `${path}/${encodeURIComponent(key)}`, asked: times };
}

function Changes({ store, word }) {
  const { state, changes, error } = useChanges(store.name, word, true);
  return html`<${Problem} error=${error} />
    <${Panel} title=${word === null ? "Changes as they are committed" : `Changes of ${called(word)} as they are committed`}
      actions=${html`<${Badge} state=${state === "on" ? "watching" : "connecting"} tone=${state === "on" ? "good" : "busy"} />`} flush>
    <${Table} label="Changes, the newest first" columns=${rowColumns(changes, store.kind)} rows=${changes} rowKey=${rowKey}
      empty=${html`<${Empty} title="Nothing has changed yet">The newest change comes first, as soon as there is one.<//>`} /><//>`;
}
