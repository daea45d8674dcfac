// The last minutes as the page saw them: the workers count totals, the differences are made here.
const KEPT_MS = 5 * 60_000;
const RATE_OVER_MS = 3_000;

export class History {
  constructor() {
    this.samples = []; // {at, workers}: workers as the stream told them
    this.points = []; // {at, rate, lag, commitMs, restoreLeft}
  }

  add(at, workers) {
    this.samples.push({ at, workers });
    while (this.samples.length > 2 && at - this.samples[1].at >= RATE_OVER_MS) this.samples.shift();
    const tasks = [...this.tasks()];
    this.points.push({
      at,
      rate: this.samples.length > 1 ? sum(tasks.map(({ id, worker }) => this.taskRate(worker, id))) : null,
      lag: sum(tasks.map(({ task }) => lagOf(task))),
      commitMs: this.commitMs(),
    });
    while (this.points.length > 1 && at - this.points[0].at > KEPT_MS) this.points.shift();
  }

  get latest() {
    return this.samples.at(-1) ?? null;
  }

  *tasks() {
    for (const [worker, told] of Object.entries(this.latest?.workers ?? {})) {
      for (const [id, task] of Object.entries(told.tasks)) yield { worker, id, task };
    }
  }

  /** What `read(workers)` has grown by in a second, null where it was not known before or has begun anew. */
  growth(read) {
    const after = read(this.latest?.workers ?? {});
    if (after === null || after === undefined) return null;
    for (const { at, workers } of this.samples.slice(0, -1)) {
      const before = read(workers);
      if (before !== null && before !== undefined && before <= after) return ((after - before) * 1000) / (this.latest.at - at);
    }
    return null;
  }

  /** Records a second of a task at a worker. */
  taskRate(worker, id) {
    return this.growth((workers) => workers[worker]?.tasks[id]?.processed);
  }

  /** Records a second that one input of a task brings. */
  inputRate(worker, id, topic) {
    return this.growth((workers) => workers[worker]?.tasks[id]?.inputs.find((each) => each.topic === topic)?.processed);
  }

  /** Processor time of a worker's process, as a part of a core. */
  cpu(worker) {
    return this.growth((workers) => workers[worker]?.cpu_s);
  }

  /** Mean time of the latest commits of all workers, each weighing as many as it made. */
  commitMs() {
    let [seconds, commits] = [0, 0];
    for (const worker of Object.keys(this.latest?.workers ?? {})) {
      seconds += this.growth((workers) => workers[worker]?.thread?.commit_s) ?? 0;
      commits += this.growth((workers) => workers[worker]?.thread?.commits) ?? 0;
    }
    return commits > 0 ? (seconds * 1000) / commits : null;
  }
}

/** Offsets a task has still to process; null while it does not know the ends. */
export function lagOf(task) {
  return sum(task.inputs.map(({ lag }) => lag));
}

/** Of what is known; null if nothing is. */
export function sum(numbers) {
  const known = numbers.filter((number) => number !== null && number !== undefined);
  return known.length ? known.reduce((total, number) => total + number, 0) : null;
}
