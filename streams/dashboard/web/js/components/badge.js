// A state in a word, with a mark that does not depend on colour alone.
import { html } from "../html.js";

const TONES = {
  running: "good", active: "good", stable: "good",
  rebalancing: "busy", restoring: "busy", starting: "busy", preparing_rebalancing: "busy", completing_rebalancing: "busy", pending_shutdown: "busy",
  error: "bad", unreachable: "bad", dead: "bad",
};

/** `state` is shown as a word in lower case; `tone`: good, busy, quiet, bad (else by the state). */
export function Badge({ state, tone = TONES[String(state).toLowerCase()] ?? "quiet" }) {
  return html`<span class="badge ${tone}">${String(state).toLowerCase().replaceAll("_", " ")}</span>`;
}
