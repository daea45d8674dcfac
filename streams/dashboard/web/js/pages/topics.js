// The topics of the cluster, and one of them.
import { html } from "../html.js";
import { Badge } from "../components/badge.js";
import { Empty, Waiting } from "../components/empty.js";
import { Page, Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { Table } from "../components/table.js";
import { useAsk } from "../asking.js";
import { bytes, counted, short } from "../figures.js";
import { go, href, reword } from "../router.js";
import { Topic } from "./topic.js";

const EVERY_MS = 5_000;

export default function Topics({ rest, words }) {
  return rest.length ? html`<${Topic} key=${rest[0]} name=${rest[0]} part=${rest[1] ?? "records"} words=${words} />`
    : html`<${TopicList} words=${words} />`;
}

/** What a topic is for, in a word. */
export function Role({ topic }) {
  if (topic.role) return html`<${Badge} state=${topic.role} tone=${topic.internal ? "quiet" : topic.role === "dead letters" ? "busy" : "good"} />`;
  return topic.internal ? html`<${Badge} state="internal" />` : html`<span class="muted">–</span>`;
}

function TopicList({ words }) {
  const { data, error, again } = useAsk("/dashboard/topics", {}, { everyMs: EVERY_MS });
  const all = data?.topics ?? [];
  const withInternal = words.internal === "yes";
  const text = (words.name ?? "").toLowerCase();
  const shown = all.filter((topic) => (withInternal || !topic.internal) && topic.name.toLowerCase().includes(text));
  const hidden = all.filter((topic) => topic.internal).length;
  const columns = [
    { name: "name", title: "Topic", wide: true, sort: (topic) => topic.name,
      cell: (topic) => html`<a class="mono" tabindex="-1" href=${href("topics", [topic.name])} onClick=${(event) => event.stopPropagation()}>${topic.name}</a>
        ${topic.store && html`<span class="muted"> store ${topic.store}</span>`}` },
    { name: "role", title: "In this application", sort: (topic) => topic.role ?? (topic.internal ? "zz" : "z"), cell: (topic) => html`<${Role} topic=${topic} />` },
    { name: "partitions", title: "Partitions", numeric: true, sort: (topic) => topic.partitions, cell: (topic) => topic.partitions },
    { name: "replication", title: "Replicas", numeric: true, sort: (topic) => topic.replication, cell: (topic) => html`<${Replicas} topic=${topic} />` },
    { name: "records", title: "Records", numeric: true, sort: (topic) => topic.records, cell: (topic) => short(topic.records) },
    { name: "bytes", title: "Size", numeric: true, sort: (topic) => topic.bytes, cell: (topic) => bytes(topic.bytes) },
  ];
  return html`<${Page} title="Topics" lead="Records are counted by offsets: what compaction took, and marks of transactions, count too.">
    <${Problem} error=${error} again=${again} />
    ${data ? html`<${Panel} flush title=${counted(shown.length, "topic")} actions=${html`
        <label class="inline"><span class="visually-hidden">Name contains</span>
          <input type="search" placeholder="Name contains" value=${words.name ?? ""} onInput=${(event) => reword({ ...words, name: event.target.value })} /></label>
        <label class="inline"><input type="checkbox" checked=${withInternal} onChange=${() => reword({ ...words, internal: withInternal ? "" : "yes" })} />
          with ${hidden} internal ones</label>`}>
      <${Table} label="Topics" columns=${columns} rows=${shown} rowKey=${(topic) => topic.name} initial="name"
        open=${(topic) => go("topics", [topic.name])} empty=${html`<${NoTopics} any=${all.length > 0} text=${text} hidden=${hidden} />`} />
    <//>` : error ? null : html`<${Waiting} what="Asking the cluster" />`}
  <//>`;
}

function Replicas({ topic }) {
  const wrong = topic.without_leader ? `${counted(topic.without_leader, "partition")} without a leader`
    : topic.under_replicated ? `${counted(topic.under_replicated, "partition")} not in sync` : null;
  return wrong ? html`<span class="bad" title=${wrong}>${topic.replication} – ${wrong}</span>` : topic.replication;
}

function NoTopics({ any, text, hidden }) {
  if (!any) return html`<${Empty} title="There are no topics yet"><code>headrace topics create NAME</code> makes one.<//>`;
  if (text) return html`<${Empty} title=${`No topic has “${text}” in its name`}>Internal topics are listed only if you ask for them.<//>`;
  return html`<${Empty} title="Only internal topics">The ${hidden} topics there are belong to applications or the cluster itself.<//>`;
}
