// The frame of a page: its heading, what stands beside that, and its contents.
import { html, useLayoutEffect, useRef } from "../html.js";

/** `title`; `lead`: a sentence below it; `actions`: beside it. Whoever was in another page gets the focus on the heading, so
 * that readers of screens begin there; a page may come late, so whoever is elsewhere or fills in a form keeps it. */
export function Page({ title, lead = null, actions = null, children }) {
  const heading = useRef();
  useLayoutEffect(() => { // before anybody can press a key in it
    document.title = `${title} · headrace`;
    const at = document.activeElement;
    if (at?.closest("#content") && !at.closest("form")) heading.current?.focus({ preventScroll: true });
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
