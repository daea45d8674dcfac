// Records that could not be processed: what went wrong, and another try.
import { html, useState } from "../html.js";
import { Details, Facts } from "../components/details.js";
import { Empty, Waiting } from "../components/empty.js";
import { Page, Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { Question } from "../components/question.js";
import { Headers, PartCell, PartText } from "../components/record_part.js";
import { Table } from "../components/table.js";
import { postJson } from "../api.js";
import { useAsk } from "../asking.js";
import { count, counted, moment } from "../figures.js";
import { href, reword } from "../router.js";

const EVERY_MS = 5_000;
const place = (letter) => `${letter.partition}:${letter.offset}`;
const origin = (letter) => (letter.source ? `${letter.source}[${letter.source_partition}] @ ${letter.source_offset}` : "unknown");

export default function DeadLetters({ words }) {
  const { data, error, again } = useAsk("/dashboard/dead-letters", { topic: words.topic }, { everyMs: EVERY_MS });
  const title = "Dead letters";
  if (error && !data) return html`<${Page} title=${title}><${Problem} error=${error} again=${again} /><//>`;
  if (!data) return html`<${Page} title=${title}><${Waiting} what="Reading the dead letters" /><//>`;
  if (data.topic === null) return html`<${Page} title=${title}><${Panel}><${NotConfigured} /><//><//>`;
  return html`<${Page} title=${title} lead=${html`Records on <a class="mono" href=${href("topics", [data.topic])}>${data.topic}</a> that could not be processed, with what went wrong.`}>
    <${Problem} error=${error} again=${again} />
    <${Letters} data=${data} words=${words} again=${again} />
  <//>`;
}

function NotConfigured() {
  return html`<${Empty} title="No dead-letter topic is configured">
    Records that fail end the worker, or are dropped, as the handlers say. To keep them here, create a topic
    (<code>headrace topics create orders-dead</code>) and set <code>App(…, dead_letter_topic="orders-dead", processing_handler="dead_letter")</code>;
    likewise <code>deserialization_handler</code> and <code>production_handler</code>.<//>`;
}

function Letters({ data, words, again }) {
  const [selected, setSelected] = useState(new Set());
  const [asked, setAsked] = useState(null);
  const [done, setDone] = useState({ busy: false, error: null, text: null });
  const shown = data.letters.filter((letter) => !words.exception || letter.exception === words.exception);
  const picked = shown.filter((letter) => selected.has(place(letter)));
  const open = shown.find((letter) => place(letter) === words.letter) ?? null;
  const toggle = (letter) => setSelected((known) => {
    const next = new Set(known);
    if (!next.delete(place(letter))) next.add(place(letter));
    return next;
  });
  const all = shown.length > 0 && picked.length === shown.length;

  async function answer(yes) {
    if (!yes) return setAsked(null);
    setDone({ busy: true, error: null, text: null });
    try {
      const { sent } = await postJson(`/dashboard/dead-letters/${encodeURIComponent(data.topic)}/resubmit`, { places: asked.map(place) });
      const text = Object.entries(sent).map(([topic, number]) => `${counted(number, "record")} sent to ${topic}`).join(", ");
      setDone({ busy: false, error: null, text });
      setSelected(new Set());
      again();
    } catch (error) {
      setDone({ busy: false, error, text: null });
    }
    setAsked(null);
  }

  const columns = [
    { name: "select", title: html`<input type="checkbox" aria-label="Select all" checked=${all} onChange=${() => setSelected(all ? new Set() : new Set(shown.map(place)))} />`,
      cell: (letter) => html`<input type="checkbox" tabindex="-1" aria-label=${`Select the letter ${place(letter)}`} checked=${selected.has(place(letter))}
        onClick=${(event) => event.stopPropagation()} onChange=${() => toggle(letter)} />` },
    { name: "time", title: "Time of the record", sort: (letter) => letter.timestamp, cell: (letter) => html`<time class="nowrap">${moment(letter.timestamp)}</time>` },
    { name: "source", title: "From", sort: origin, cell: (letter) => html`<span class="mono brief">${origin(letter)}</span>` },
    { name: "key", title: "Key", cell: (letter) => html`<${PartCell} part=${letter.key} />` },
    { name: "exception", title: "Error", wide: true, sort: (letter) => letter.exception,
      cell: (letter) => html`<strong class="bad clipped-2">${shortClass(letter.exception)}</strong> <span class="clipped-2">${letter.message}</span>` },
  ];
  const narrow = columns.filter(({ name }) => !open || !["source", "key"].includes(name)); // the details have them
  return html`
    ${data.exceptions.length > 1 && html`<div class="actions" role="group" aria-label="Kinds of errors">
      <button type="button" aria-pressed=${String(!words.exception)} onClick=${() => reword({ ...words, exception: "" })}>All</button>
      ${data.exceptions.map(({ exception, letters }) => html`<button type="button" key=${exception} title=${exception} aria-pressed=${String(words.exception === exception)}
        onClick=${() => reword({ ...words, exception })}><span class="brief">${shortClass(exception)}</span> <span class="muted">${count(letters)}</span></button>`)}
    </div>`}
    <${Problem} error=${done.error} />
    ${done.text && html`<p class="done" role="status">${done.text}. The letters stay; what is sent twice is processed twice.</p>`}
    ${data.read_only && html`<p class="muted">Nothing can be sent again from here: ${data.read_only}.</p>`}
    <div class=${open ? "with-details wide-details" : ""}>
      <${Panel} flush title=${`${counted(shown.length, "letter")}${data.more ? ", the newest" : ""}`} actions=${html`
          <button type="button" class="primary" disabled=${!picked.length || data.read_only || done.busy} onClick=${() => setAsked(picked)}>
            ${picked.length ? `Re-submit ${counted(picked.length, "letter")}` : "Re-submit"} …</button>`}>
        <${Table} label="Dead letters; Space selects, Enter opens" columns=${narrow} rows=${shown} rowKey=${place} initial="-time"
          open=${(letter) => reword({ ...words, letter: place(letter) })} select=${toggle} isOpen=${(letter) => letter === open}
          empty=${html`<${Empty} title="No dead letters">Every record so far could be processed.<//>`} />
      <//>
      ${open && html`<${Letter} topic=${data.topic} letter=${open} readOnly=${data.read_only} resubmit=${() => setAsked([open])}
        close=${() => reword({ ...words, letter: "" })} />`}
    </div>
    ${asked && html`<${Question} title=${`Send ${counted(asked.length, "record")} again?`} yes="Send again" answer=${answer} busy=${done.busy}>
      <p>${asked.length === 1 ? "It goes" : "They go"} to the end of the ${asked.length === 1 ? "partition it" : "partitions they"} came from, as ${asked.length === 1 ? "it was" : "they were"} read:</p>
      <ul>${goals(asked).map(([topic, number]) => html`<li><code>${topic}</code>: ${counted(number, "record")}</li>`)}</ul>
      <p>Everybody who reads these topics gets them again. If what went wrong has not been mended, they come back here.</p>
    <//>`}`;
}

function Letter({ topic, letter, readOnly, resubmit, close }) {
  const { data, error, again } = useAsk(`/dashboard/dead-letters/${encodeURIComponent(topic)}/${letter.partition}/${letter.offset}`);
  return html`<${Details} title=${`Letter ${place(letter)}`} close=${close}>
    <div class="actions"><button type="button" disabled=${Boolean(readOnly)} onClick=${resubmit}>Re-submit …</button></div>
    <${Facts} facts=${[
      ["Record", letter.source ? html`<a class="mono" href=${href("topics", [letter.source], { from: `offset:${letter.source_offset}`, partition: letter.source_partition })}>${origin(letter)}</a>` : "unknown"],
      ["Time", moment(letter.timestamp)],
      ["Error", html`<span class="mono">${letter.exception}</span>`],
      ["Message", letter.message],
    ]} />
    <${Problem} error=${error} again=${again} />
    ${data ? html`<${PartText} part=${data.key} label="Key" /><${PartText} part=${data.value} label="Value" /><${Headers} headers=${data.headers} />
      <section class="part-text"><header><h3>Stack trace</h3></header><pre tabindex="0" class="trace">${data.stacktrace}</pre></section>`
      : error ? null : html`<${Waiting} what="Reading the letter" />`}
  <//>`;
}

function goals(letters) {
  const found = new Map();
  for (const { source } of letters) found.set(source ?? "unknown", (found.get(source ?? "unknown") ?? 0) + 1);
  return [...found];
}

function shortClass(name) {
  return name.split(".").at(-1) || "Error";
}
