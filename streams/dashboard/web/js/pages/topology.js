// The topology while it runs: where records come in, what is done with them, where state is kept, where they go.
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { useAsk } from "../asking.js";
import { Details, Facts } from "../components/details.js";
import { Diagram } from "../components/diagram.js";
import { Waiting } from "../components/empty.js";
import { Excerpt } from "../components/excerpt.js";
import { Page, Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { Table } from "../components/table.js";
import { bytes, count, counted, milliseconds, short } from "../figures.js";
import { useLive } from "../live.js";
import { href, reword } from "../router.js";
import { failures, inputFigures, storeFigures } from "../topology_figures.js";
import { bestLayout, graphOf } from "../topology_graph.js";
import { loadDagre } from "../vendor.js";

const ZOOM = 1.2;

export default function Topology({ words }) {
  const live = useLive();
  const { data, error, again } = useAsk("/dashboard/topology");
  const [dagre, setDagre] = useState({ library: null, error: null });
  useEffect(() => { loadDagre().then((library) => setDagre({ library }), (failure) => setDagre({ error: failure })); }, []);
  const servedBy = live.about?.served_by;
  const first = useRef(servedBy);
  useEffect(() => { // another worker, or a restarted one, may run a changed program
    if (first.current && servedBy !== first.current) again();
    first.current = servedBy;
  }, [servedBy]);
  const graph = useMemo(() => data && graphOf(data), [data]);
  const placed = useMemo(() => graph && dagre.library && bestLayout(graph, dagre.library, roomForIt()), [graph, dagre.library]);
  const chosen = graph?.nodes.find(({ id }) => id === words.node) ?? null;
  const choose = (id) => reword({ node: id === words.node ? null : id });
  return html`<${Page} title="Topology" lead="At the arrows: records a second, and how many are still to be read. Choose a box for what is known of it.">
    <${Problem} error=${error ?? dagre.error} again=${again} />
    ${!placed && !error && html`<${Waiting} what="Drawing" />`}
    ${placed && html`<div class=${chosen ? "with-details" : ""}>
      <${Drawing} graph=${graph} placed=${placed} live=${live} chosen=${chosen?.id} choose=${choose} />
      ${chosen && html`<${Chosen} node=${chosen} topology=${data} live=${live} close=${() => reword({})} />`}
    </div>`}
  <//>`;
}

/** What the window has beside navigation and headings. */
function roomForIt() {
  return { width: window.innerWidth - 270, height: window.innerHeight - 190 };
}

function Drawing({ graph, placed, live, chosen, choose }) {
  const frame = useRef();
  const [zoom, setZoom] = useState(null);
  const [room, setRoom] = useState(1000);
  useEffect(() => {
    const resized = new ResizeObserver(([entry]) => setRoom(entry.contentRect.width));
    resized.observe(frame.current);
    return () => resized.disconnect();
  }, []);
  const fitting = Math.max(0.72, Math.min(1, room / placed.width));
  const scale = zoom ?? fitting;
  const actions = html`<div class="legend small muted" aria-hidden="true"><span class="key topic"></span>topic <span class="key step"></span>operator <span class="key store"></span>store</div>
    <div role="group" aria-label="Size"><button type="button" onClick=${() => setZoom(scale / ZOOM)} aria-label="Smaller">−</button>
    <button type="button" onClick=${() => setZoom(null)}>Fit</button>
    <button type="button" onClick=${() => setZoom(scale * ZOOM)} aria-label="Larger">+</button></div>`;
  return html`<${Panel} title=${counted(graph.groups.length, "sub-topology", "sub-topologies")} actions=${actions} flush>
    <div ref=${frame} class="canvas"><${Diagram} graph=${graph} placed=${placed} live=${live} chosen=${chosen} choose=${choose} scale=${scale} /></div>
  <//>`;
}

function Chosen({ node, topology, live, close }) {
  const failed = failures(live, node.reader ?? node.step?.name ?? "");
  return html`<${Details} title=${node.topic ?? node.title} close=${close}>
    ${node.kind === "topic" && html`<${TopicFacts} node=${node} topology=${topology} live=${live} />`}
    ${node.kind === "store" && html`<${StoreFacts} node=${node} live=${live} />`}
    ${node.kind === "step" && html`<${Facts} facts=${[
      ["Operator", node.step.operator], ["Sub-topology", node.group],
      ["Stores", node.step.stores.length ? node.step.stores.map((name) => html`<div><a href=${href("stores", [name])}>${name}</a></div>`) : null],
    ]} />`}
    ${failed.records > 0 && html`<div class="problem"><p><strong>${counted(failed.records, "record")} failed here</strong> and ${failed.records === 1 ? "was" : "were"} skipped. The last: ${failed.last}</p></div>`}
    <${Excerpt} declared=${node.declared} excerpts=${topology.excerpts} />
  <//>`;
}

function TopicFacts({ node, topology, live }) {
  const { rate, lag, inputs } = inputFigures(live, node.topic);
  const columns = [
    { name: "partition", title: "Partition", sort: ({ partition }) => partition, cell: ({ partition }) => partition },
    { name: "task", title: "Task", sort: ({ task }) => task, cell: ({ task }) => html`<a href=${href("tasks", [task])}>${task}</a>` },
    { name: "rate", title: "Rec/s", numeric: true, sort: (row) => row.rate, cell: (row) => short(row.rate) },
    { name: "lag", title: "Lag", numeric: true, sort: (row) => row.lag, cell: (row) => short(row.lag) },
  ];
  const late = inputs.map(({ late_ms }) => late_ms).filter((ms) => ms !== null && ms < 86_400_000);
  return html`<${Facts} facts=${[
      ["Kind", node.subtitle], ["Partitions", topology.partitions[node.topic] ?? null],
      ["Records/s", inputs.length ? short(rate) : null], ["Lag", inputs.length ? count(lag) : null],
      ["Age when done", late.length ? milliseconds(late.reduce((total, ms) => total + ms, 0) / late.length) : null],
      ["Records", html`<a href=${href("topics", [node.topic])}>look at the topic</a>`],
    ]} />
    ${inputs.length > 0 && html`<${Table} label="Partitions" columns=${columns} rows=${inputs} rowKey=${({ task, partition }) => `${task} ${partition}`} initial="partition" />`}`;
}

function StoreFacts({ node, live }) {
  const { store } = node;
  const figures = storeFigures(live, store.name);
  const limits = Object.entries(store.limits).map(([name, value]) => (name.endsWith("_ms") ? `${name.slice(0, -3)} ${milliseconds(value)}` : `${name.replaceAll("_", " ")} ${count(value)}`));
  return html`<${Facts} facts=${[
    ["Kind", node.subtitle], ["Kept", store.persistent ? "on disk (RocksDB)" : "in memory"],
    ["Rows", figures.rows === null ? null : `${count(figures.rows)} (estimated)`], ["Size", figures.bytes === null ? null : bytes(figures.bytes)],
    ["Waiting", figures.waiting === null ? null : counted(Math.round(figures.waiting), "record")],
    ["Keys", store.key_serde], ["Changelog", store.changelog ?? (store.filled_by ? `none: ${store.filled_by} fills it` : "none")],
    ["Bounds", limits.length ? limits.join(", ") : null],
    ["Contents", html`<a href=${href("stores", [store.name])}>browse the store</a>`],
  ]} />`;
}
