// How far something has come.
import { html } from "../html.js";

/** `part` from 0 to 1. */
export function Meter({ part, label }) {
  const percent = Math.round(Math.max(0, Math.min(1, part)) * 100);
  return html`<div class="meter" role="progressbar" aria-label=${label} aria-valuenow=${percent} aria-valuemin="0" aria-valuemax="100">
    <div style=${{ width: `${percent}%` }}></div></div>`;
}
