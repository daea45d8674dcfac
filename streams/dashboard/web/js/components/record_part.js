// A key or a value of a record, and how it was read.
import { html } from "../html.js";
import { Icon } from "../icon.js";

/** Text that has no characters, which is not null. */
export function EmptyText() {
  return html`<span class="null">empty</span>`;
}

/** In a row: short, in one line. */
export function PartCell({ part }) {
  if (part.form === "null") return html`<span class="null">null</span>`;
  if (part.text === "" && !part.wrong) return html`<${EmptyText} />`;
  return html`<span class="part">
    ${part.wrong && html`<span class="wrong" title=${part.wrong}><${Icon} name="warning" label="Not of the topic's type" /></span>`}
    <code class=${part.form === "watermark" ? "muted" : ""}>${part.text}${part.cut ? "…" : ""}</code></span>`;
}

/** By itself: JSON with its lines, and what is wrong with it. */
export function PartText({ part, label }) {
  return html`<section class="part-text">
    <header><h3>${label}</h3><span class="muted">${part.form}</span></header>
    ${part.wrong && html`<p class="wrong"><${Icon} name="warning" /> ${part.wrong}</p>`}
    ${part.form === "null" ? html`<p class="null">null</p>` : part.text === "" ? html`<p><${EmptyText} /></p>` : html`<pre tabindex="0">${pretty(part.text)}</pre>`}
  </section>`;
}

/** Text that is a JSON object or array with line breaks; any other text as it is. Numbers keep their digits. */
export function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return indented(text);
}

const MOST_TIMES = 4; // longer than the text itself; what is nested a thousand deep would have a thousand spaces a line

/** Works on the text: numbers beyond 2^53 would lose digits if they were parsed and written again. */
function indented(text) {
  let out = "";
  let depth = 0;
  let inString = false;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (let at = 0; at < text.length; at += 1) {
    if (out.length > MOST_TIMES * (text.length + 1000)) return text;
    const character = text[at];
    if (inString) {
      out += character;
      if (character === "\\") out += text[(at += 1)];
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
      out += character;
    } else if (character === "{" || character === "[") {
      const close = character === "{" ? "}" : "]";
      const next = text.slice(at + 1).match(/^\s*(.)/);
      if (next && next[1] === close) {
        out += character + close;
        at += next[0].length;
      } else {
        depth += 1;
        out += character + line();
      }
    } else if (character === "}" || character === "]") {
      depth -= 1;
      out += line() + character;
    } else if (character === ",") out += character + line();
    else if (character === ":") out += ": ";
    else if (!/\s/.test(character)) out += character;
  }
  return out;
}

/** `[[name, value], …]` of a record's headers. */
export function Headers({ headers }) {
  if (!headers.length) return null;
  return html`<section class="part-text"><header><h3>Headers</h3></header>
    <dl class="facts">${headers.map(([name, value]) => html`<div><dt class="mono">${name}</dt>
      <dd class="mono">${value === null ? html`<span class="null">null</span>` : value === "" ? html`<${EmptyText} />` : value}</dd></div>`)}</dl></section>`;
}
