// A few lines of the user's program, the one that is meant marked.
import { html } from "../html.js";

/** `declared`: "file:line" or null; `excerpts` as `/dashboard/topology` has them. */
export function Excerpt({ declared, excerpts }) {
  if (!declared) return null;
  const at = declared.lastIndexOf(":");
  const [file, line] = [declared.slice(0, at), Number(declared.slice(at + 1))];
  const found = excerpts[declared];
  return html`<div class="excerpt">
    <p class="mono small" title=${declared}>${file.split("/").slice(-2).join("/")}:${line}</p>
    ${found ? html`<pre>${found.lines.map((text, index) => html`<span class=${found.first + index === line ? "marked" : ""}><b>${found.first + index}</b>${text || " "}</span>`)}</pre>` : html`<p class="muted small">This worker cannot read the file.</p>`}
  </div>`;
}
