// Where in the dashboard we are: `#/stores/counts?prefix=a`.
import { useEffect, useState } from "./html.js";

/** `{page: "stores", rest: ["counts"], words: {prefix: "a"}}` */
export function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...rest] = path.split("/").filter(Boolean).map(decoded);
  return { page, rest, words: Object.fromEntries(new URLSearchParams(query)) };
}

/** A word of the path; one that somebody typed with a stray `%` is taken as it stands. */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** `#/stores/counts?prefix=a`; words that are empty are left out. */
export function href(page, rest = [], words = {}) {
  const given = Object.entries(words).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given).toString();
  const path = [page, ...rest].map(encodeURIComponent).join("/");
  return `#/${path}${query ? `?${query}` : ""}`;
}

export function go(...place) {
  location.hash = href(...place);
}

/** The same place with other words, without a step in the browser's history. */
export function reword(words) {
  const { page, rest } = route();
  history.replaceState(null, "", href(page, rest, words));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute() {
  const [now, setNow] = useState(route);
  useEffect(() => {
    const follow = () => setNow(route());
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  return now;
}
