// What stands where there is nothing: why, and what would change that.
import { html } from "../html.js";

export function Empty({ title, children }) {
  return html`<div class="empty"><p class="empty-title">${title}</p>${children && html`<p>${children}</p>`}</div>`;
}

/** What stands where something is on its way. */
export function Waiting({ what = "Asking the worker" }) {
  return html`<div class="empty" role="status"><p class="waiting">${what} …</p></div>`;
}
