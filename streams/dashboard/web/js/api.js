// Questions to the worker that serves this page.
import { token, tokenWanted } from "./token.js";

/** What went wrong, in the worker's words; `status` 0: it did not answer. `retriable`: asking again can help. */
export class ApiError extends Error {
  constructor(message, { status = 0, reason = "unreachable", retriable = false, body = {} } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.reason = reason;
    this.retriable = retriable;
    this.body = body;
  }
}

/** `/dashboard/topics?x=1`: parameters that are null, undefined or "" are left out. */
export function url(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query ? `${path}?${query}` : path;
}

/** A response whose status is 2xx. Throws ApiError; AbortError if `signal` says so. */
export async function ask(path, { method = "GET", parameters, body, signal } = {}) {
  const headers = { "X-Headrace-Dashboard": "1" };
  if (token() !== null) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(url(path, parameters), {
      method, headers, signal, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The worker does not answer. Is it still running? The page asks again by itself.", { retriable: true });
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  if (response.status === 401) tokenWanted();
  throw new ApiError(told.detail || `The worker answered ${response.status} ${response.statusText}.`, {
    status: response.status,
    reason: told.reason || "error",
    retriable: response.headers.has("Retry-After"),
    body: told,
  });
}

/** The answer's JSON. */
export async function getJson(path, parameters, signal) {
  return parseJson(await (await ask(path, { parameters, signal })).text(), path);
}

export async function postJson(path, body) {
  return (await ask(path, { method: "POST", body })).json();
}

/** Server-sent events of a path, as `{event, data, id}`, until the server ends them or `signal` says so. `data` is
 * decoded JSON. Throws as `ask` does. (EventSource cannot bring a token.) */
export async function* events(path, { parameters, signal } = {}) {
  const response = await ask(path, { parameters, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = parseEvent(text.slice(0, end), path);
        text = text.slice(end + 2);
        if (event) yield event;
      }
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof ApiError) throw error;
    throw new ApiError("The connection to the worker broke.", { retriable: true });
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parseEvent(text, path) {
  const found = { event: "message", data: "", id: null };
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) found[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return found.data ? { ...found, data: parseJson(found.data, path) } : null;
}

/** Rows of stores have whatever numbers the user has: integers beyond 2^53 become raw JSON, which `JSON.stringify` writes
 * with all their digits. Browsers that have none (before 2025) round them. */
function parseJson(text, path) {
  const exact = /^\/(stores|changes)\//.test(path) && JSON.rawJSON && /\d{16}/.test(text);
  return exact ? JSON.parse(text, wholeNumber) : JSON.parse(text);
}

function wholeNumber(_, value, { source }) {
  return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? JSON.rawJSON(source) : value;
}
