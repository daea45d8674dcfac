// What went wrong, in the worker's words, and a way to try again.
import { html } from "../html.js";
import { Icon } from "../icon.js";

/** `error` is an ApiError or whatever was thrown; null shows nothing. */
export function Problem({ error, again = null }) {
  if (!error) return null;
  return html`<div class="problem" role="alert">
    <${Icon} name="warning" />
    <p>${error.message}</p>
    ${again && html`<button type="button" onClick=${again}>Try again</button>`}
  </div>`;
}
