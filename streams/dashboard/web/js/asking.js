// A hook that asks the worker, and asks again.
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { getJson } from "./api.js";

/** `{data, error, asking, again}`. Asks when path or parameters change (a null path asks nothing), every `everyMs` if
 * given, and after errors that can pass. What was known stays while it is asked again. */
export function useAsk(path, parameters = {}, { everyMs = null } = {}) {
  const [state, setState] = useState({ data: null, error: null, asking: path !== null });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify([path, parameters]);
  const before = useRef(key);
  const again = useCallback(() => setTurn((number) => number + 1), []);
  useEffect(() => {
    if (path === null) return undefined;
    const leaving = new AbortController();
    let timer = null;
    const isNew = before.current !== key;
    before.current = key;
    setState((known) => ({ ...(isNew ? { data: null, error: null } : known), asking: true }));
    getJson(path, parameters, leaving.signal).then(
      (data) => {
        setState({ data, error: null, asking: false });
        if (everyMs) timer = setTimeout(again, everyMs);
      },
      (error) => {
        if (error.name === "AbortError") return;
        setState((known) => ({ ...known, error, asking: false }));
        if (error.retriable || everyMs) timer = setTimeout(again, Math.max(everyMs || 0, 1500));
      },
    );
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [key, turn, everyMs]);
  return { ...state, again };
}
