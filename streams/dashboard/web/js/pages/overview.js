// How the application is doing as a whole.
import { html } from "../html.js";
import { Badge } from "../components/badge.js";
import { Chart } from "../components/chart.js";
import { Empty, Waiting } from "../components/empty.js";
import { Figure, Figures } from "../components/figure.js";
import { Meter } from "../components/meter.js";
import { Page, Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { Table } from "../components/table.js";
import { cutOff } from "../cut_off.js";
import { count, counted, duration, milliseconds, short } from "../figures.js";
import { lagOf, sum } from "../history.js";
import { useLive } from "../live.js";
import { href } from "../router.js";

export default function Overview() {
  const { about, workers, history, status, error } = useLive();
  if (!about) return html`<${Page} title="Overview">${status === "lost" ? html`<${Problem} error=${error} />` : html`<${Waiting} />`}<//>`;
  const told = Object.entries(workers);
  const now = history.points.at(-1);
  const tasks = told.flatMap(([, worker]) => Object.values(worker.tasks));
  const restoring = told.flatMap(([, worker]) => (worker.restoring ?? []).map((each) => ({ ...each, worker: worker.name })));
  return html`<${Page} title="Overview" lead=${html`${about.guarantee.replaceAll("_", " ")}, commits every ${milliseconds(about.commit_interval_ms)}, on <code>${about.bootstrap_servers}</code>`}>
    ${told.filter(([, { problem }]) => problem).map(([id, worker]) => html`<${Problem} key=${id}
      error=${{ message: `Worker ${worker.name} on ${worker.host || "an unknown host"} cannot be asked: ${worker.problem}. ${workOf(worker)}` }} />`)}
    <${Numbers} workers=${Object.values(workers)} tasks=${tasks} now=${now} restoring=${restoring} />
    <${Charts} points=${history.points} now=${now} />
    ${restoring.length > 0 && html`<${Restoring} restoring=${restoring} />`}
    <${Workers} told=${told} history=${history} />
  <//>`;
}

function workOf({ assigned = [] }) {
  return assigned.length ? `Its tasks, ${assigned.join(", ")}, are not among the figures below; if it has ended, they go to others when its session is over.` : "It has no tasks.";
}

function Numbers({ workers, tasks, now, restoring }) {
  const open = tasks.filter(({ running }) => !running).length;
  const cut = cutOff(workers);
  const stuck = sum(cut.map((worker) => Object.keys(worker.tasks).length));
  const silent = sum(workers.map(({ assigned = [] }) => assigned.length));
  const lost = sum(tasks.map(({ dropped, skipped }) => dropped + skipped)) ?? 0;
  const letters = sum(tasks.map(({ dead_letters }) => dead_letters)) ?? 0;
  const longest = Math.max(0, ...workers.map(({ thread }) => thread?.commit_max_ms ?? 0));
  return html`<${Figures}>
    <${Figure} label="Records a second" value=${short(now?.rate)} hint="read and run through the topology" />
    <${Figure} label="Lag" value=${short(now?.lag)} hint=${cut.length ? "when the broker was last heard of" : "records still to read"} />
    <${Figure} label="Commit" value=${milliseconds(now?.commitMs)} hint=${longest ? `longest lately ${milliseconds(longest)}` : "mean of the last seconds"} />
    <${Figure} label="Tasks" value=${count(tasks.length)} tone=${cut.length ? "bad" : open || silent ? "busy" : ""}
      hint=${[cut.length && `${stuck ? count(stuck) : "none open"} without the broker`, silent && `${count(silent)} more with workers that cannot be asked`, open && `${count(open)} being opened or restored`].filter(Boolean).join(", ")
        || (tasks.length ? `all running, at ${counted(workers.filter(({ problem }) => !problem).length, "worker")}` : "none yet")} />
    <${Figure} label="Dropped or skipped" value=${short(lost)} tone=${lost ? "busy" : ""}
      hint=${letters ? html`<a href=${href("dead-letters")}>${counted(letters, "dead letter")}</a> among them` : "since the tasks were opened"} />
  <//>`;
}

function Charts({ points, now }) {
  const times = points.map(({ at }) => at);
  return html`<div class="columns three">
    <${Panel}><${Chart} title="Records a second" times=${times} values=${points.map(({ rate }) => rate)} format=${short} summary=${short(now?.rate)} /><//>
    <${Panel}><${Chart} title="Lag" times=${times} values=${points.map(({ lag }) => lag)} format=${short} summary=${short(now?.lag)} tone=${2} /><//>
    <${Panel}><${Chart} title="Commit" times=${times} values=${points.map(({ commitMs }) => commitMs)} format=${milliseconds} summary=${milliseconds(now?.commitMs)} tone=${3} least=${2} /><//>
  </div>`;
}

function Restoring({ restoring }) {
  const part = ({ start, position, end }) => (end > start ? (position - start) / (end - start) : 1);
  const columns = [
    { name: "task", title: "Task", sort: ({ task }) => task, cell: ({ task }) => task },
    { name: "store", title: "Store", sort: ({ store }) => store, cell: ({ store }) => store },
    { name: "progress", title: "Progress", cell: (each) => html`<${Meter} part=${part(each)} label=${`${each.store} of task ${each.task}`} />` },
    { name: "left", title: "Records to read", numeric: true, sort: ({ position, end }) => end - position, cell: ({ position, end }) => count(end - position) },
    { name: "eta", title: "To go", numeric: true, cell: ({ eta_s }) => duration(eta_s) },
    { name: "worker", title: "Worker", cell: ({ worker }) => worker },
  ];
  return html`<${Panel} title="Being restored" flush>
    <${Table} label="Being restored" columns=${columns} rows=${restoring} rowKey=${({ task, store }) => `${task} ${store}`} initial="-left" /><//>`;
}

function Workers({ told, history }) {
  const rate = ([id, worker]) => sum(Object.keys(worker.tasks).map((task) => history.taskRate(id, task)));
  const lag = ([, worker]) => sum(Object.values(worker.tasks).map(lagOf));
  const columns = [
    { name: "name", title: "Worker", sort: ([, { name }]) => name, cell: ([id, { name }]) => html`<span class="whole">${name}</span><div class="muted small">${id}</div>` },
    { name: "state", title: "State", sort: ([, { state }]) => state, cell: ([, { state, thread }]) => html`<${Badge} state=${state} />
      ${(thread?.unreachable_since ?? null) !== null && html`<${Badge} state="no broker" tone="bad" />`}` },
    { name: "tasks", title: "Tasks", numeric: true, sort: ([, { tasks }]) => Object.keys(tasks).length, cell: ([id, { tasks, standing_by = [], assigned = [] }]) =>
      html`<a href=${href("tasks", [], { worker: id })}>${Object.keys(tasks).length || assigned.length}</a>${standing_by.length > 0 && html`<span class="muted"> + ${standing_by.length} standby</span>`}` },
    { name: "rate", title: "Records/s", numeric: true, sort: rate, cell: (row) => short(rate(row)) },
    { name: "lag", title: "Lag", numeric: true, sort: lag, cell: (row) => short(lag(row)) },
    { name: "commit", title: "Commit", numeric: true, sort: ([, { thread }]) => thread?.commit_ms, cell: ([, { thread }]) => milliseconds(thread?.commit_ms) },
    { name: "cpu", title: "CPU", numeric: true, sort: ([id]) => history.cpu(id), cell: ([id]) => percent(history.cpu(id)) },
    { name: "host", title: "Host", sort: ([, { host }]) => host, cell: ([, { host, pid }]) => html`${host}<span class="muted">${pid ? ` · ${pid}` : ""}</span>` },
    { name: "up", title: "Up", numeric: true, sort: ([, { thread }]) => thread?.up_s, cell: ([, { thread }]) => duration(thread?.up_s) },
  ];
  return html`<${Panel} title="Workers" flush>
    <${Table} label="Workers" columns=${columns} rows=${told} rowKey=${([id]) => id} initial="name"
      empty=${html`<${Empty} title="No worker" />`} /><//>`;
}

function percent(part) {
  return part === null ? "–" : `${Math.round(part * 100)} %`;
}
