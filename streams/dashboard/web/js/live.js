// What all workers tell once a second. One stream for the whole page; closed while the tab is hidden.
import { useEffect, useState } from "./html.js";
import { events } from "./api.js";
import { History } from "./history.js";

const HIDDEN_MS = 20_000;
const LONGEST_RETRY_MS = 5_000;

class Live {
  constructor() {
    this.status = "connecting"; // live, lost, paused
    this.error = null;
    this.lostAt = null;
    this.about = null;
    this.workers = {};
    this.at = null;
    this.history = new History();
    this.listeners = new Set();
    this.leaving = null;
  }

  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start() {
    document.addEventListener("visibilitychange", () => this.visibilityChanged());
    window.addEventListener("tokenset", () => this.connect());
    this.connect();
  }

  visibilityChanged() {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => {
        this.leaving?.abort();
        this.set({ status: "paused" });
      }, HIDDEN_MS);
    } else if (this.status === "paused") this.connect();
  }

  async connect() {
    this.leaving?.abort();
    const leaving = (this.leaving = new AbortController());
    let wait = 500;
    while (!leaving.signal.aborted) {
      try {
        for await (const { event, data } of events("/dashboard/live", { signal: leaving.signal })) {
          wait = 500;
          if (event === "whole") this.whole(data);
          else if (event === "change") this.change(data);
        }
        if (leaving.signal.aborted) return;
        this.lost(null);
      } catch (error) {
        if (leaving.signal.aborted) return;
        this.lost(error);
        if (error.status === 401) return; // goes on when there is a token
      }
      await new Promise((done) => setTimeout(done, wait));
      wait = Math.min(wait * 1.6, LONGEST_RETRY_MS);
    }
  }

  lost(error) {
    this.set({ status: "lost", error, lostAt: this.lostAt ?? Date.now() });
  }

  whole({ at, workers, ...about }) {
    if (this.about && this.about.application !== about.application) this.history = new History();
    this.took(at, workers, about);
  }

  change({ at, workers, left }) {
    const now = { ...this.workers };
    for (const name of left) delete now[name];
    for (const [name, { tasks, gone = [], anew = false, ...fields }] of Object.entries(workers)) {
      const before = anew ? { tasks: {} } : now[name];
      const all = { ...before.tasks, ...tasks };
      for (const task of gone) delete all[task];
      now[name] = { ...before, ...fields, tasks: all };
    }
    this.took(at, now, this.about);
  }

  took(at, workers, about) {
    this.history.add(at, workers);
    this.set({ status: "live", error: null, lostAt: null, at, workers, about });
  }

  set(changed) {
    Object.assign(this, changed);
    for (const listener of this.listeners) listener();
  }
}

export const live = new Live();

/** The live state; the component is drawn again whenever it changes. */
export function useLive() {
  const [, setTurn] = useState(0);
  useEffect(() => live.listen(() => setTurn((turn) => turn + 1)), []);
  return live;
}
