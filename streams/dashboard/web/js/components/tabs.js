// The parts of a page that are looked at one at a time. They are links: each has an address.
import { html } from "../html.js";

/** `tabs`: `[[name, title, href], …]`; `at`: the name of the one that is shown. */
export function Tabs({ label, tabs, at }) {
  return html`<nav class="tabs" aria-label=${label}><ul>${tabs.map(([name, title, to]) => html`<li>
    <a href=${to} aria-current=${name === at ? "page" : undefined}>${title}</a></li>`)}</ul></nav>`;
}
