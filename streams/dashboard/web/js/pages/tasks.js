// Every task: where it runs, how far it is, where copies of its state are.
import { html } from "../html.js";
import { Badge } from "../components/badge.js";
import { Details, Facts } from "../components/details.js";
import { Empty, Waiting } from "../components/empty.js";
import { Meter } from "../components/meter.js";
import { Page, Panel } from "../components/page.js";
import { Table } from "../components/table.js";
import { bytes, count, counted, duration, milliseconds, short } from "../figures.js";
import { sum } from "../history.js";
import { useLive } from "../live.js";
import { ownName, shortName } from "../names.js";
import { go, href, reword } from "../router.js";
import { taskRows } from "../task_rows.js";

const STATES = ["running", "restoring", "starting", "unreachable", "standby"];

export default function Tasks({ rest, words }) {
  const live = useLive();
  if (!live.about) return html`<${Page} title="Tasks"><${Waiting} /><//>`;
  const all = taskRows(live);
  const rows = all.filter((row) => fits(row, words));
  const open = all.filter(({ id }) => id === rest[0]);
  return html`<${Page} title="Tasks" lead=${summary(all)}>
    <${Filters} live=${live} words=${words} />
    <div class=${rest[0] ? "with-details" : ""}>
      <${Panel} flush><${Table} label="Tasks" columns=${columns.filter(({ name }) => !rest[0] || name !== "topics")} rows=${rows} rowKey=${(row) => `${row.id} ${row.worker} ${row.state}`} initial="task"
        open=${(row) => (row.id === rest[0] ? go("tasks", [], words) : go("tasks", [row.id], words))} isOpen=${({ id }) => id === rest[0]}
        empty=${all.length ? html`<${Empty} title="No task fits">Choose another worker or state.<//>`
          : html`<${Empty} title="No tasks yet">The group is being formed, or the worker waits for its topics: its log says which.<//>`} /><//>
      ${rest[0] && html`<${Task} id=${rest[0]} rows=${open} live=${live} close=${() => go("tasks", [], words)} />`}
    </div>
  <//>`;
}

function summary(rows) {
  const told = STATES.map((state) => [state, rows.filter((row) => row.state === state).length]).filter(([, number]) => number);
  return told.map(([state, number]) => `${count(number)} ${state === "standby" ? "standing by" : state}`).join(", ");
}

function fits({ worker, state, id, topics }, words) {
  return (!words.worker || worker === words.worker) && (!words.state || state === words.state)
    && (!words.text || id.includes(words.text) || topics.some((topic) => topic.includes(words.text)));
}

function Filters({ live, words }) {
  const set = (name) => (event) => reword({ ...words, [name]: event.target.value });
  return html`<form class="form" onSubmit=${(event) => event.preventDefault()}>
    <label>Worker <select value=${words.worker ?? ""} onChange=${set("worker")}><option value="">all</option>
      ${Object.entries(live.workers).map(([id, { name }]) => html`<option value=${id} selected=${words.worker === id}>${shortName(name, live.about)}</option>`)}</select></label>
    <label>State <select value=${words.state ?? ""} onChange=${set("state")}><option value="">all</option>
      ${STATES.map((state) => html`<option selected=${words.state === state}>${state}</option>`)}</select></label>
    <label>Task or topic <input type="search" value=${words.text ?? ""} onInput=${set("text")} /></label>
  </form>`;
}

const part = ({ start, position, end }) => (end > start ? (position - start) / (end - start) : 1);

const columns = [
  { name: "task", title: "Task", sort: ({ id, state }) => `${id} ${STATES.indexOf(state)}`, cell: ({ id }) => html`<strong class="mono">${id}</strong>` },
  { name: "state", title: "State", sort: ({ state }) => state, cell: ({ state, restoring }) => html`<${Badge} state=${state} />
    ${restoring.map((each) => html`<${Meter} part=${part(each)} label=${`${each.store} of task ${each.task}`} />`)}` },
  { name: "topics", title: "Reads", cell: ({ topics, application }) => html`<span class="small">${topics.map((topic) => ownName(topic, application)).join(", ")}</span>` },
  { name: "rate", title: "Records/s", numeric: true, sort: ({ rate }) => rate, cell: ({ rate }) => short(rate) },
  { name: "lag", title: "Lag", numeric: true, sort: ({ lag }) => lag, cell: ({ lag }) => short(lag) },
  { name: "lost", title: "Dropped", numeric: true, sort: ({ task }) => task && task.dropped + task.skipped,
    cell: ({ task }) => (task ? html`<span class=${task.dropped + task.skipped ? "lost" : ""}>${short(task.dropped + task.skipped)}</span>` : "–") },
  { name: "worker", title: "Worker", sort: ({ name }) => name, cell: ({ name, host }) => html`<span class="whole">${name}</span><div class="muted small">${host}</div>` },
];

function Task({ id, rows, live, close }) {
  const active = rows.find(({ task }) => task);
  const copies = rows.filter(({ state }) => state === "standby");
  return html`<${Details} title=${`Task ${id}`} close=${close}>
    ${!rows.length && html`<p>No worker has task ${id} at the moment. It may be moving; if it stays away, this topology has no such task.</p>`}
    ${active && html`<${Active} row=${active} live=${live} />`}
    ${copies.length > 0 && html`<div><h3>Standing by</h3><ul>${copies.map(({ name, worker, lag }) => html`<li key=${worker}>${name} <span class="muted">${lag === null ? "" : `lacks ${counted(lag, "record")}`}</span></li>`)}</ul></div>`}
  <//>`;
}

/** What a restore has still to read, and how long that takes; null without one. */
function toRestore(restoring) {
  if (!restoring.length) return null;
  const seconds = Math.max(...restoring.map(({ eta_s }) => eta_s ?? 0));
  return `${counted(sum(restoring.map(({ position, end }) => end - position)), "record")}${seconds ? `, ${duration(seconds)} to go` : ""}`;
}

function Active({ row: { id, worker, name, host, task, state, rate, lag, restoring }, live }) {
  const inputs = [
    { name: "topic", title: "Input", cell: ({ topic, partition }) => html`<a href=${href("topics", [topic])}>${topic}</a> <span class="muted">${partition}</span>` },
    { name: "rate", title: "Rec/s", numeric: true, cell: ({ topic }) => short(live.history.inputRate(worker, id, topic)) },
    { name: "lag", title: "Lag", numeric: true, cell: (input) => short(input.lag) },
    { name: "buffered", title: "Held", numeric: true, cell: ({ buffered }) => short(buffered) },
  ];
  const stores = [
    { name: "store", title: "Store", cell: ([store]) => html`<a href=${href("stores", [store], { partition: id.split("_")[1] })}>${store}</a>` },
    { name: "rows", title: "Rows", numeric: true, cell: ([, { rows, waiting }]) => short(rows ?? waiting) },
    { name: "size", title: "Size", numeric: true, cell: ([, { bytes: size }]) => bytes(size) },
  ];
  const kept = Object.entries(task.stores);
  return html`<${Facts} facts=${[
      ["State", html`<${Badge} state=${state} />`], ["Worker", name], ["Host", host], ["Records/s", short(rate)],
      ["Lag", restoring.length ? null : count(lag)], ["To restore", toRestore(restoring)],
      ["Processed", `${count(task.processed)} since it was opened here`], ["Commits", `${count(task.commits)}${task.commits ? `, ${milliseconds((task.commit_s * 1000) / task.commits)} each` : ""}`],
      ["Dropped", count(task.dropped)], ["Skipped", `${count(task.skipped)}${task.dead_letters ? `, ${counted(task.dead_letters, "dead letter")}` : ""}`],
      ["Restored", task.restored ? counted(task.restored, "row") : null], ["Kept decoded", bytes(task.cache_bytes)],
    ]} />
    <${Table} label="Inputs" columns=${inputs} rows=${task.inputs} rowKey=${({ topic, partition }) => `${topic} ${partition}`} />
    ${kept.length > 0 && html`<${Table} label="Stores" columns=${stores} rows=${kept} rowKey=${([store]) => store} />`}
    ${Object.entries(task.failed ?? {}).map(([node, { records, last }]) => html`<div class="problem"><p><strong>${counted(records, "record")} failed at ${node || "its input"}</strong> and ${records === 1 ? "was" : "were"} skipped. The last: ${last}</p></div>`)}`;
}
