// One topic: its records, partitions and settings, and a form for a new record.
import { html } from "../html.js";
import { Empty, Waiting } from "../components/empty.js";
import { Page, Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { Table } from "../components/table.js";
import { Tabs } from "../components/tabs.js";
import { useAsk } from "../asking.js";
import { bytes, count, counted } from "../figures.js";
import { href, reword } from "../router.js";
import { Produce } from "./topic_produce.js";
import { Records } from "./topic_records.js";

const EVERY_MS = 5_000;

export function Topic({ name, part, words }) {
  const { data, error, again } = useAsk(`/dashboard/topics/${encodeURIComponent(name)}`, {}, { everyMs: EVERY_MS });
  const tabs = [["records", "Records"], ["partitions", "Partitions"], ["settings", "Settings"], ["produce", "Produce a record"]]
    .map(([tab, title]) => [tab, title, href("topics", tab === "records" ? [name] : [name, tab])]);
  return html`<${Page} title=${name} lead=${data ? lead(data) : null} actions=${html`<a class="button" href=${href("topics")}>All topics</a>`}>
    <${Tabs} label="Parts of the topic" tabs=${tabs} at=${part} />
    <${Problem} error=${error} again=${again} />
    ${error && !data ? null : part === "records" ? html`<${Records} topic=${name} about=${data} words=${words} />`
      : !data ? html`<${Waiting} what="Asking the cluster" />`
      : part === "partitions" ? html`<${Partitions} topic=${data} />`
      : part === "settings" ? html`<${Settings} topic=${data} words=${words} />`
      : part === "produce" ? html`<${Produce} topic=${data} words=${words} />`
      : html`<${Problem} error=${{ message: `A topic has no part “${part}”.` }} />`}
  <//>`;
}

function lead({ role, store, internal, key, value }) {
  const what = { source: "Read by this application", sink: "Written by this application",
    repartition: "A repartition topic of this application", changelog: `The changelog of the store ${store}`,
    metadata: "What this application remembers of its tasks", "dead letters": "Where this application puts dead letters" }[role];
  const types = key ? `: keys ${key}, values ${value}` : "";
  return `${what ?? (internal ? "An internal topic of another program" : "Not a topic of this application")}${types}.`;
}

function Partitions({ topic }) {
  const broker = (node) => (node < 0 ? html`<span class="bad">none</span>` : html`${node} <span class="muted">${topic.brokers[node] ?? ""}</span>`);
  const columns = [
    { name: "partition", title: "Partition", numeric: true, sort: (row) => row.partition, cell: (row) => row.partition },
    { name: "leader", title: "Leader", sort: (row) => row.leader, cell: (row) => broker(row.leader) },
    { name: "replicas", title: "Replicas", cell: (row) => row.replicas.join(", ") },
    { name: "in_sync", title: "In sync", cell: (row) => html`<span class=${row.in_sync.length < row.replicas.length ? "bad" : ""}>${row.in_sync.join(", ")}</span>` },
    { name: "first", title: "First offset", numeric: true, sort: (row) => row.first, cell: (row) => count(row.first) },
    { name: "end", title: "End", numeric: true, sort: (row) => row.end, cell: (row) => count(row.end) },
    { name: "records", title: "Records", numeric: true, sort: (row) => row.end - row.first, cell: (row) => count(row.end === null ? null : row.end - row.first) },
    { name: "bytes", title: "Size", numeric: true, sort: (row) => row.bytes, cell: (row) => bytes(row.bytes) },
  ];
  return html`<${Panel} flush><${Table} label="Partitions" columns=${columns} rows=${topic.partitions} rowKey=${(row) => row.partition} initial="partition" /><//>`;
}

function Settings({ topic, words }) {
  if (!topic.configs) return html`<${Panel}><${Empty} title="The cluster does not tell this worker the settings">Its user may read the topic, but not describe its configs.<//><//>`;
  const own = topic.configs.filter((config) => config.own);
  const all = words.all === "yes";
  const columns = [
    { name: "name", title: "Setting", sort: (config) => config.name, cell: (config) => html`<code>${config.name}</code>` },
    { name: "value", title: "Value", wide: true, cell: (config) => (config.value === null ? html`<span class="null">unset or secret</span>` : html`<code>${config.value}</code>`) },
    { name: "own", title: "Set for", sort: (config) => config.own, cell: (config) => (config.own ? html`<strong>this topic</strong>` : html`<span class="muted">default</span>`) },
  ];
  return html`<${Panel} flush title=${all ? counted(topic.configs.length, "setting") : `${counted(own.length, "setting")} of this topic`}
    actions=${html`<label class="inline"><input type="checkbox" checked=${all} onChange=${() => reword({ ...words, all: all ? "" : "yes" })} /> with defaults</label>`}>
    <${Table} label="Settings" columns=${columns} rows=${all ? topic.configs : own} rowKey=${(config) => config.name} initial="name"
      empty=${html`<p class="empty">Everything is by default. <code>headrace configs set topic ${topic.name} NAME=VALUE</code> changes that.</p>`} />
  <//>`;
}
