// The application's query_token, where it has one: kept for this tab only.
const KEY = "headrace-token";

export function token() {
  return sessionStorage.getItem(KEY);
}

export function setToken(text) {
  sessionStorage.setItem(KEY, text.trim());
  window.dispatchEvent(new Event("tokenset"));
}

/** Tells the shell to ask for it. */
export function tokenWanted() {
  window.dispatchEvent(new CustomEvent("tokenwanted", { detail: { wrong: token() !== null } }));
}
