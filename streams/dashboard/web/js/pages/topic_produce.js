// A form for one record.
import { html, useRef, useState } from "../html.js";
import { Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { postJson } from "../api.js";
import { counted } from "../figures.js";
import { href } from "../router.js";

export function Produce({ topic }) {
  const [key, setKey] = useState(null); // null until something is typed: a field that was left alone is no key
  const [valueNull, setValueNull] = useState(false);
  const [headers, setHeaders] = useState([]);
  const [state, setState] = useState({ busy: false, error: null, sent: [] });
  const form = useRef();
  if (topic.internal) {
    return html`<${Panel}><p>${topic.role ? `This ${topic.role} topic is written by the application alone: a record of yours would make its state wrong.`
      : "This topic belongs to another program, or to the cluster."} Produce to a topic that applications read.</p><//>`;
  }
  if (topic.read_only) return html`<${Panel}><p>Nothing can be produced here: ${topic.read_only}.</p><//>`;

  async function send(event) {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form.current));
    const body = {
      key,
      value: valueNull ? null : given.value,
      headers: headers.filter(({ name }) => name).map(({ name, value }) => [name, value]),
      partition: given.partition === "" ? null : Number(given.partition),
      timestamp: given.timestamp || null,
    };
    setState((known) => ({ ...known, busy: true, error: null }));
    try {
      const place = await postJson(`/dashboard/topics/${encodeURIComponent(topic.name)}/records`, body);
      setState((known) => ({ busy: false, error: null, sent: [place, ...known.sent].slice(0, 5) }));
    } catch (error) {
      setState((known) => ({ ...known, busy: false, error }));
      const field = form.current.elements.namedItem(error.body?.field ?? "");
      field?.focus?.();
    }
  }

  const wrong = (field) => (state.error?.body?.field === field ? { "aria-invalid": "true", "aria-describedby": "produce-error" } : {});
  const change = (at, changed) => setHeaders(headers.map((header, index) => (index === at ? { ...header, ...changed } : header)));
  return html`<${Panel}>
    <form class="produce" ref=${form} onSubmit=${send} aria-label="A record" onKeyDown=${(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && send(event)}>
      <div class="field"><label for="produce-key">Key ${topic.key && html`<span class="type">${topic.key}</span>`}</label>
        <textarea id="produce-key" name="key" rows="1" spellcheck="false" value=${key ?? ""} placeholder=${key === null ? "null" : "the empty text"}
          onInput=${({ target }) => setKey(target.value)} ...${wrong("key")}></textarea>
        <label class="inline"><input type="checkbox" checked=${key === null} onChange=${() => setKey(key === null ? "" : null)} /> null</label></div>
      <div class="field"><label for="produce-value">Value ${topic.value && html`<span class="type">${topic.value}</span>`}</label>
        <textarea id="produce-value" name="value" rows="9" spellcheck="false" placeholder=${valueNull ? "null" : "the empty text"} disabled=${valueNull} ...${wrong("value")}>${topic.value_example}</textarea>
        <label class="inline"><input type="checkbox" checked=${valueNull} onChange=${() => setValueNull(!valueNull)} /> null (deletes the key from a table)</label></div>
      <fieldset class="field"><legend>Headers</legend>
        ${headers.map(({ name, value }, at) => html`<div class="form" key=${at}>
          <input aria-label=${`Name of header ${at + 1}`} placeholder="name" value=${name} onInput=${(event) => change(at, { name: event.target.value })} />
          <input aria-label=${`Value of header ${at + 1}`} placeholder="value" value=${value} onInput=${(event) => change(at, { value: event.target.value })} />
          <button type="button" onClick=${() => setHeaders(headers.filter((_, index) => index !== at))}>Remove</button></div>`)}
        <button type="button" onClick=${() => setHeaders([...headers, { name: "", value: "" }])}>Add a header</button></fieldset>
      <div class="form">
        <label>Partition<select name="partition" ...${wrong("partition")}><option value="">By the key</option>
          ${topic.partitions.map(({ partition }) => html`<option value=${partition}>${partition}</option>`)}</select></label>
        <label>Time<input name="timestamp" placeholder="now, or 2026-01-31T12:00Z" ...${wrong("timestamp")} /></label>
        <button type="submit" class="primary" disabled=${state.busy}>Produce</button>
        <span class="muted">Ctrl-Enter does it too</span>
      </div>
      <div id="produce-error"><${Problem} error=${state.error} /></div>
      <div role="status">${state.sent.map((place) => html`<p key=${`${place.partition}:${place.offset}`}>Written to partition ${place.partition} at offset ${place.offset}:
        <a href=${href("topics", [topic.name], { from: `offset:${place.offset}`, partition: place.partition })}>look at it</a></p>`)}</div>
    </form>
  <//>
  ${!topic.role && html`<p class="muted">This application does not know the types of ${topic.name}: key and value are written as they are typed, to one of ${counted(topic.partitions.length, "partition")}.</p>`}`;
}
