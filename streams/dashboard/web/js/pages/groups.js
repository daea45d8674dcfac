// Who reads from the cluster, and how far behind they are.
import { html } from "../html.js";
import { Badge } from "../components/badge.js";
import { Empty, Waiting } from "../components/empty.js";
import { Figure, Figures } from "../components/figure.js";
import { Page, Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { Table } from "../components/table.js";
import { useAsk } from "../asking.js";
import { count, counted, short } from "../figures.js";
import { go, href } from "../router.js";

const EVERY_MS = 3_000;

export default function Groups({ rest }) {
  return rest.length ? html`<${Group} key=${rest.join("/")} name=${rest.join("/")} />` : html`<${GroupList} />`;
}

function GroupList() {
  const { data, error, again } = useAsk("/dashboard/groups", {}, { everyMs: EVERY_MS });
  const columns = [
    { name: "group", title: "Group", wide: true, sort: (group) => group.group,
      cell: (group) => html`<a class="mono" tabindex="-1" href=${href("groups", [group.group])} onClick=${(event) => event.stopPropagation()}>${group.group}</a>
        ${group.own && html` <span class="muted">this application</span>`}` },
    { name: "state", title: "State", sort: (group) => group.state, cell: (group) => html`<${Badge} state=${group.state} />` },
    { name: "kind", title: "Protocol", sort: (group) => group.kind, cell: (group) => group.kind },
    { name: "members", title: "Members", numeric: true, sort: (group) => group.members, cell: (group) => group.members },
    { name: "partitions", title: "Partitions", numeric: true, sort: (group) => group.partitions, cell: (group) => group.partitions },
    { name: "lag", title: "Lag", numeric: true, sort: (group) => group.lag, 
      cell: (group) => html`${short(group.lag)}${group.without_leader ? html` <span class="bad">and ${group.without_leader} without leader</span>` : ""}` },
  ];
  return html`<${Page} title="Groups" lead="Those who read, and how many records are before them.">
    <${Problem} error=${error} again=${again} />
    ${data ? html`<${Panel} flush><${Table} label="Groups" columns=${columns} rows=${data.groups} rowKey=${(group) => group.group} initial="group"
      open=${(group) => go("groups", [group.group])} empty=${html`<${Empty} title="Nobody reads in a group yet">An application's group appears when its first worker joins.<//>`} /><//>`
      : error ? null : html`<${Waiting} what="Asking the cluster" />`}
  <//>`;
}

function Group({ name }) {
  const { data, error, again } = useAsk(`/dashboard/groups/${encodeURIComponent(name)}`, {}, { everyMs: EVERY_MS });
  const members = [
    { name: "member", title: "Member", sort: (member) => member.instance ?? member.member, cell: (member) => html`<code class=${member.instance ? "nowrap" : ""}>${member.instance ?? member.member}</code>` },
    { name: "client", title: "Client", sort: (member) => member.client, cell: (member) => html`<span class="mono nowrap">${member.client}</span>` },
    { name: "host", title: "Host", sort: (member) => member.host, cell: (member) => html`<span class="nowrap">${member.host}</span>` },
    { name: "tasks", title: data?.own ? "Tasks" : "Partitions", wide: data?.own, cell: (member) => (member.tasks ? member.tasks.join(", ") || "none" : data.own ? "–" : member.partitions) },
    ...(data?.own ? [{ name: "endpoint", title: "Queries at", cell: (member) => html`<span class="nowrap">${member.endpoint ?? "–"}</span>` }] : []),
  ];
  const most = Math.max(100, ...(data?.partitions ?? []).map(({ lag }) => lag));
  const partitions = [
    { name: "topic", title: "Topic", sort: (row) => row.topic, cell: (row) => html`<a class="mono" href=${href("topics", [row.topic])}>${row.topic}</a>` },
    { name: "partition", title: "Partition", numeric: true, sort: (row) => row.partition, cell: (row) => row.partition },
    { name: "committed", title: "Committed", numeric: true, sort: (row) => row.committed, cell: (row) => count(row.committed) },
    { name: "end", title: "End", numeric: true, sort: (row) => row.end, cell: (row) => count(row.end) },
    { name: "lag", title: "Lag", numeric: true, sort: (row) => row.lag, cell: (row) => row.lag === null ? html`<span class="bad">no leader</span>` : html`<span class="lag">${count(row.lag)}<span class="bar" aria-hidden="true"><span style=${{ width: `${(100 * row.lag) / most}%` }}></span></span></span>` },
  ];
  const lag = data?.partitions.reduce((sum, row) => sum + row.lag, 0);
  const leaderless = data?.partitions.filter((row) => row.lag === null).length;
  return html`<${Page} title=${name} lead=${data?.own ? "The group of this application." : null} actions=${html`<a class="button" href=${href("groups")}>All groups</a>`}>
    <${Problem} error=${error} again=${again} />
    ${data ? html`
      <${Figures}>
        <${Figure} label="State" value=${html`<${Badge} state=${data.state} />`} hint=${[data.kind, data.assignor].filter(Boolean).join(", ")} />
        <${Figure} label="Lag" value=${short(lag)} hint=${leaderless ? html`<span class="bad">without ${counted(leaderless, "partition")} that ${leaderless > 1 ? "have" : "has"} no leader</span>` : `in ${counted(data.partitions.length, "partition")}`} />
        <${Figure} label="Members" value=${data.members.length} />
      <//>
      <${Panel} flush title="Members"><${Table} label="Members" columns=${members} rows=${data.members} rowKey=${(member) => member.member} initial="member"
        empty=${html`<${Empty} title="Nobody is in the group">Its offsets are kept. Whoever joins goes on from there.<//>`} /><//>
      <${Panel} flush title="Partitions"><${Table} label="Partitions" columns=${partitions} rows=${data.partitions} rowKey=${(row) => `${row.topic}:${row.partition}`} initial="-lag"
        empty=${html`<${Empty} title="Nothing is committed yet" />`} /><//>`
      : error ? null : html`<${Waiting} what="Asking the cluster" />`}
  <//>`;
}
