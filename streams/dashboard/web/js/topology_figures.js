// What the live stream tells of the parts of a topology, added up over workers and tasks.
import { sum } from "./history.js";

/** `{rate, lag, processed}` of a topic as one sub-topology reads it. */
export function inputFigures(live, topic, group = null) {
  const found = [];
  for (const { worker, id, task } of live.history.tasks()) {
    if (group !== null && Number(id.split("_")[0]) !== group) continue;
    for (const input of task.inputs) {
      if (input.topic === topic) found.push({ ...input, task: id, worker, rate: live.history.inputRate(worker, id, topic) });
    }
  }
  return { rate: sum(found.map(({ rate }) => rate)), lag: sum(found.map(({ lag }) => lag)), inputs: found };
}

/** `{rows, bytes, waiting}` of all partitions of a store, null where nobody tells. */
export function storeFigures(live, name) {
  const found = [...live.history.tasks()].map(({ task }) => task.stores[name]).filter(Boolean);
  return {
    rows: sum(found.map(({ rows }) => rows)), bytes: sum(found.map(({ bytes }) => bytes)),
    waiting: sum(found.map(({ waiting }) => waiting)), partitions: found.length,
  };
}

/** Records on which an operator failed and that were skipped: `{records, last}`. */
export function failures(live, label) {
  const found = [...live.history.tasks()].map(({ task }) => task.failed?.[label]).filter(Boolean);
  return { records: found.reduce((total, { records }) => total + records, 0), last: found.at(-1)?.last ?? null };
}
