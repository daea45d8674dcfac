// Tasks as rows: one for each place where a task runs, is restored or stands by.
import { lagOf, sum } from "./history.js";
import { shortName } from "./names.js";

/** `{id, application, worker, name, host, state, topics, rate, lag, task}`; `task` is null where only the group tells of it. */
export function taskRows({ about, workers, history }) {
  const rows = [];
  for (const [worker, told] of Object.entries(workers)) {
    const place = { application: about.application, worker, name: shortName(told.name, about), host: told.host };
    for (const [id, task] of Object.entries(told.tasks)) {
      const restoring = (told.restoring ?? []).filter((each) => each.task === id);
      rows.push({
        ...place, id, task, restoring,
        state: task.running ? "running" : restoring.length ? "restoring" : "starting",
        topics: task.inputs.map(({ topic }) => topic),
        rate: history.taskRate(worker, id),
        lag: task.running ? lagOf(task) : sum(restoring.map(({ position, end }) => end - position)),
      });
    }
    for (const id of told.standing_by ?? []) {
      const lags = (told.standbys ?? []).filter((each) => each.task === id);
      rows.push({ ...place, id, task: null, restoring: [], state: "standby", topics: [], rate: null, standbys: lags, lag: sum(lags.map(({ position, end }) => end - position)) });
    }
    for (const id of told.assigned ?? []) {
      rows.push({ ...place, id, task: null, restoring: [], state: "unreachable", topics: [], rate: null, lag: null });
    }
  }
  return rows;
}
