// A hook that follows the changes of a store as they are committed.
import { useEffect, useState } from "./html.js";
import { events } from "./api.js";

const KEPT = 200;

/** `{state: off | waiting | on, changes, error}`; the newest change first, each with an `id` of its own. `wanted` switches
 * it on; `key` null follows all keys. */
export function useChanges(store, key, wanted) {
  const [found, setFound] = useState({ state: "off", changes: [], error: null });
  useEffect(() => {
    if (!wanted) {
      setFound({ state: "off", changes: [], error: null });
      return undefined;
    }
    const leaving = new AbortController();
    let [number, waiting, timer] = [0, [], null];
    const show = () => { // many may come at once: they are drawn together
      timer = null;
      const fresh = waiting.reverse();
      waiting = [];
      setFound(({ changes }) => ({ state: "on", error: null, changes: [...fresh, ...changes].slice(0, KEPT) }));
    };
    const follow = async () => {
      setFound({ state: "waiting", changes: [], error: null });
      while (!leaving.signal.aborted) {
        try {
          for await (const { event, data } of events(`/changes/${encodeURIComponent(store)}${key === "" ? "?key=" : ""}`, { parameters: { key }, signal: leaving.signal })) {
            if (event === "ready") setFound((known) => ({ ...known, state: "on", error: null }));
            else if (event === "change") {
              waiting.push({ ...data, id: (number += 1) });
              timer ??= setTimeout(show, 250);
            } else if (event === "problem") setFound((known) => ({ ...known, error: { message: data.detail } }));
          }
        } catch (error) {
          if (leaving.signal.aborted) return;
          setFound((known) => ({ ...known, state: "waiting", error }));
          if (!error.retriable) return;
        }
        await new Promise((done) => setTimeout(done, 1500));
      }
    };
    follow();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [store, key, wanted]);
  return found;
}
