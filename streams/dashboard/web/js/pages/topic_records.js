// The records of a topic as they come.
import { html, useEffect, useState } from "../html.js";
import { Details, Facts } from "../components/details.js";
import { Empty, Waiting } from "../components/empty.js";
import { Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { Headers, PartCell, PartText } from "../components/record_part.js";
import { Table } from "../components/table.js";
import { useAsk } from "../asking.js";
import { events } from "../api.js";
import { bytes, count, counted, moment } from "../figures.js";
import { href, reword } from "../router.js";

const KEPT = 500; // rows on the page; older ones go
const BEGINNINGS = [["last:50", "Newest 50 of each"], ["end", "Only new ones"], ["beginning", "Beginning"], ["offset", "Offset …"], ["time", "Time …"]];
const RETRY_MS = 1500;

export function Records({ topic, about, words }) {
  const [chosen, setChosen] = useState(null);
  const { paused, pause, ...tail } = usePause(useTail(topic, words));
  const columns = [
    { name: "timestamp", title: "Time", cell: (record) => html`<time class="nowrap">${moment(record.timestamp)}</time>` },
    { name: "place", title: "Place", numeric: true, cell: (record) => `${record.partition}:${record.offset}` },
    { name: "key", title: "Key", cell: (record) => html`<${PartCell} part=${record.key} />` },
    { name: "value", title: "Value", wide: true, cell: (record) => html`<${PartCell} part=${record.value} />` },
    { name: "headers", title: "Headers", cell: (record) => record.headers.length ? html`<span class="muted clipped">${record.headers.map(([name]) => name).join(", ")}</span>` : "" },
  ];
  const isChosen = (record) => chosen !== null && record.partition === chosen.partition && record.offset === chosen.offset;
  return html`
    <${Choices} topic=${topic} about=${about} words=${words} />
    <${Problem} error=${tail.error} />
    <div class=${chosen ? "with-details" : ""}>
      <${Panel} flush title="Records, newest first" actions=${html`<${Progress} tail=${tail} paused=${paused} />
          <button type="button" aria-pressed=${String(paused)} onClick=${pause}>${paused ? "Go on" : "Pause"}</button>
          <button type="button" onClick=${tail.clear}>Clear</button>`}>
        <div class="records"><${Table} label="Records" columns=${columns} rows=${tail.records} rowKey=${(record) => `${record.partition}:${record.offset}`}
          open=${setChosen} isOpen=${isChosen} empty=${html`<${NoRecords} tail=${tail} words=${words} topic=${topic} paused=${paused} />`} /></div>
      <//>
      ${chosen && html`<${Whole} topic=${topic} record=${chosen} close=${() => setChosen(null)} />`}
    </div>`;
}

/** What is read, and from where. A form: the tail begins anew when it is sent. */
function Choices({ topic, about, words }) {
  const [draft, setDraft] = useState(draftOf(words)); // records that come draw the form again: what is typed is kept here
  useEffect(() => setDraft(draftOf(words)), [JSON.stringify(words)]);
  const { begin, partition, text, where } = draft;
  function send({ begin, offset, time, ...wanted }) {
    const from = begin === "offset" ? `offset:${offset || 0}` : begin === "time" ? time || "end" : begin;
    reword({ ...wanted, from: from === "last:50" ? "" : from });
  }
  const typed = ({ target: { name, value } }) => setDraft({ ...draft, [name]: value });
  const chosen = ({ target: { name, value } }) => {
    const now = { ...draft, [name]: value };
    setDraft(now);
    if (!["offset", "time"].includes(now.begin) || name !== "begin") send(now);
  };
  return html`<form class="form tail-form" onSubmit=${(event) => { event.preventDefault(); send(draft); }} aria-label="Which records">
    <label>From<select name="begin" value=${begin} onChange=${chosen}>${BEGINNINGS.map(([name, title]) => html`<option value=${name} selected=${name === begin}>${title}</option>`)}</select></label>
    ${begin === "offset" && html`<label>Offset<input name="offset" type="number" min="0" class="short" value=${draft.offset} onInput=${typed} /></label>`}
    ${begin === "time" && html`<label>Time (UTC)<input name="time" placeholder="2026-01-31T12:00" value=${draft.time} onInput=${typed} /></label>`}
    <label>Partition<select name="partition" value=${partition} onChange=${chosen}>
      <option value="">All</option>${(about?.partitions ?? []).map((each) => html`<option value=${each.partition} selected=${String(each.partition) === partition}>${each.partition}</option>`)}</select></label>
    <label>Contains<input name="text" type="search" placeholder="in key, value or header" value=${text} onInput=${typed} /></label>
    <label class="grow">Where<input name="where" type="search" class="mono" spellcheck="false" autocomplete="off"
      placeholder='F.amount > 100 and F.key.startswith("a")' value=${where} onInput=${typed} title="An expression on F, as in programs: F.field, F.key, F.timestamp, F.headers['name']" /></label>
    <button type="submit">Show</button>
  </form>`;
}

function draftOf({ from = "last:50", partition = "", text = "", where = "" }) {
  const offset = from.startsWith("offset:") ? from.slice(7) : null;
  const begin = offset !== null ? "offset" : BEGINNINGS.some(([name]) => name === from) ? from : "time";
  return { begin, offset: offset ?? "0", time: begin === "time" ? from : "", partition, text, where };
}

function Progress({ tail, paused }) {
  const { counts, status } = tail;
  const parts = [];
  if (counts) parts.push(`${count(counts.shown)} of ${counted(counts.read, "record")} shown`);
  if (counts?.dropped) parts.push(`${count(counts.dropped)} left out: they come faster than they can be shown`);
  if (counts?.failed) parts.push(`${count(counts.failed)} on which the expression fails`);
  if (tail.waiting) parts.push(`${counted(tail.waiting, "new record")} to be shown`);
  const word = paused ? "paused" : status === "following" ? (counts?.live ? "live" : "catching up") : status;
  return html`<span class="muted" role="status">${parts.join(" · ")}</span><span class=${`badge ${word === "live" ? "good" : word === "lost" ? "bad" : "busy"}`}>${word}</span>`;
}

function NoRecords({ tail, words, topic, paused }) {
  if (tail.error && tail.error.status === 400) return null;
  if (paused) return html`<${Empty} title="Paused">Go on, and records will come again.<//>`;
  if (tail.status !== "following") return html`<${Waiting} what="Asking the cluster" />`;
  if (words.text || words.where) {
    const looked = tail.counts ? `${counted(tail.counts.read, "record")} looked at.` : "";
    return html`<${Empty} title="No record fits yet">${looked} ${tail.counts && !tail.counts.live ? "Looking further …" : "New ones that fit will come here."}<//>`;
  }
  return html`<${Empty} title=${words.from === "end" ? "Nothing new yet" : "No records"}>New ones will come here.${" "}
    <a href=${href("topics", [topic, "produce"])}>Produce one</a>, or write some with <code>headrace produce ${topic}</code>.<//>`;
}

function Whole({ topic, record, close }) {
  const cut = record.key.cut || record.value.cut || record.headers_cut;
  const { data, error } = useAsk(cut ? `/dashboard/topics/${encodeURIComponent(topic)}/records/${record.partition}/${record.offset}` : null);
  const shown = data ?? record;
  return html`<${Details} title=${`${topic}[${record.partition}] @ ${record.offset}`} close=${close}>
    <${Facts} facts=${[["Time", moment(record.timestamp)], ["Size", bytes(record.size)]]} />
    <${Problem} error=${error} />
    <${PartText} part=${shown.key} label="Key" />
    <${PartText} part=${shown.value} label="Value" />
    <${Headers} headers=${shown.headers} />
  <//>`;
}

/** What was there is read partition by partition, and belongs together by time; what comes is shown as it comes. */
function withNewer({ records, counts }, { records: newer }) {
  if (counts?.live) return [...newer.reverse(), ...records];
  return [...newer, ...records].sort((one, other) => other.timestamp - one.timestamp || other.offset - one.offset);
}

/** A tail that can be paused: it goes on reading, and what is shown stays as it was. `waiting`: how many records have
 * come meanwhile. Another question ends a pause. */
function usePause(tail) {
  const [held, setHeld] = useState(null);
  const paused = held !== null && held.question === tail.question;
  const pause = () => setHeld(paused ? null : tail);
  if (!paused) return { ...tail, paused, pause, waiting: 0 };
  const waiting = Math.max(0, (tail.counts?.shown ?? 0) - (held.counts?.shown ?? 0));
  const clear = () => { tail.clear(); setHeld({ ...held, records: [] }); };
  return { ...tail, records: held.records, clear, paused, pause, waiting };
}

/** The tail of a topic: `{question, records, counts, status, error, clear}`, newest record first. It begins anew when
 * the question changes, and after an outage. */
function useTail(topic, words) {
  const { from = "last:50", partition, text, where } = words;
  const question = JSON.stringify([topic, from, partition, text, where]);
  const [state, setState] = useState({ records: [], counts: null, status: "asking", error: null });
  useEffect(() => {
    setState({ records: [], counts: null, status: "asking", error: null });
    const leaving = new AbortController();
    follow(leaving.signal);
    return () => leaving.abort();
  }, [question]);

  async function follow(signal) {
    const path = `/dashboard/topics/${encodeURIComponent(topic)}/tail`;
    while (!signal.aborted) {
      try {
        for await (const { event, data } of events(path, { parameters: { from, partition, text, where }, signal })) {
          if (event === "ready") setState((known) => ({ ...known, records: [], counts: null, status: "following", error: null }));
          else if (event === "problem") throw Object.assign(new Error(data.detail), { retriable: true });
          else setState((known) => ({ ...known, counts: data, records: withNewer(known, data).slice(0, KEPT) }));
        }
      } catch (error) {
        if (signal.aborted) return;
        setState((known) => ({ ...known, status: "lost", error }));
        if (!error.retriable) return;
      }
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }

  const clear = () => setState((known) => ({ ...known, records: [] }));
  return { ...state, question, clear };
}
