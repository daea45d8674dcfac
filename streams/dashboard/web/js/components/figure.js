// One number that matters, with its name.
import { html } from "../html.js";

/** `hint` stands below the number; `tone`: bad or busy where it wants to be looked at. */
export function Figure({ label, value, hint = null, tone = "" }) {
  return html`<div class="figure ${tone}">
    <dt>${label}</dt>
    <dd>${value}</dd>
    ${hint && html`<dd class="hint">${hint}</dd>`}
  </div>`;
}

export function Figures({ children }) {
  return html`<dl class="figures">${children}</dl>`;
}
