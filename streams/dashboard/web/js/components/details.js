// What is shown of a chosen thing, beside the page; Escape closes it.
import { html, useLayoutEffect, useRef } from "../html.js";
import { Icon } from "../icon.js";

export function Details({ title, close, children }) {
  const frame = useRef();
  const returnTo = useRef(null);
  useLayoutEffect(() => { // before anybody can press a key in it
    if (!frame.current.contains(document.activeElement)) returnTo.current = document.activeElement;
    frame.current.focus({ preventScroll: true });
  }, [title]);
  useLayoutEffect(() => { // whose end comes before the aside goes, and the focus with it
    const aside = frame.current;
    return () => { // who has gone on to something else stays there
      if (aside.contains(document.activeElement) && returnTo.current?.isConnected) returnTo.current.focus({ preventScroll: true });
    };
  }, []);
  return html`<aside class="details" ref=${frame} tabindex="-1" aria-label=${title}
    onKeyDown=${(event) => event.key === "Escape" && close()}>
    <header><h2>${title}</h2>
      <button type="button" class="quiet" onClick=${close}><${Icon} name="close" label="Close" /></button></header>
    ${children}
  </aside>`;
}

/** `[["name", value], …]` as a list of names and values; null values are left out. */
export function Facts({ facts }) {
  return html`<dl class="facts">${facts.filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
