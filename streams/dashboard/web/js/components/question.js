// A question that has to be answered before something is done that cannot be taken back.
import { html, useEffect, useRef } from "../html.js";

/** `title`, what will happen as `children`, `yes`: the word on the button, `answer(true | false)`. Escape says no. */
export function Question({ title, yes, answer, busy = false, children }) {
  const dialog = useRef();
  useEffect(() => {
    const returnTo = document.activeElement;
    dialog.current.showModal();
    return () => {
      if (returnTo?.isConnected) returnTo.focus({ preventScroll: true });
      if (document.activeElement !== returnTo) document.getElementById("content").focus({ preventScroll: true }); // a button that has done its work may be disabled
    };
  }, []);
  return html`<dialog class="question" ref=${dialog} aria-label=${title} onCancel=${(event) => { event.preventDefault(); answer(false); }}>
    <h2>${title}</h2>
    <div class="question-text">${children}</div>
    <div class="actions">
      <button type="button" onClick=${() => answer(false)}>Cancel</button>
      <button type="button" class="primary" disabled=${busy} onClick=${() => answer(true)}>${yes}</button>
    </div>
  </dialog>`;
}
