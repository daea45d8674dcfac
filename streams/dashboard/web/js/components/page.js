// The frame of a page: its heading, what stands beside that, and its contents.
import { html, useEffect, useRef } from "../html.js";

/** `title`; `lead`: a sentence below it; `actions`: beside it. The heading gets the focus when the page is opened, so
 * that readers of screens begin there. */
export function Page({ title, lead = null, actions = null, children }) {
  const heading = useRef();
  useEffect(() => {
    document.title = `${title} · headrace`;
    if (document.activeElement === document.body || document.activeElement?.closest("nav")) return;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return html`<div class="page">
    <header class="page-head">
      <div><h1 tabindex="-1" ref=${heading}>${title}</h1>${lead && html`<p class="lead">${lead}</p>`}</div>
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}

/** A framed part of a page. */
export function Panel({ title = null, actions = null, children, flush = false }) {
  return html`<section class=${flush ? "panel flush" : "panel"} aria-label=${title}>
    ${title && html`<header><h2>${title}</h2>${actions && html`<div class="actions">${actions}</div>`}</header>`}
    ${children}
  </section>`;
}
