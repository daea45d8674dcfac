// The topology as boxes and arrows: what the worker describes by sub-topologies and steps, made one graph.
import { ownName } from "./names.js";

/** `{nodes, edges, groups}`. A node: `{id, kind: topic | step | store, group, title, subtitle, …}`; its group is a
 * sub-topology, null for topics. Sources and sinks are no boxes of their own: a topic's arrows say it. */
export function graphOf(topology) {
  const nodes = new Map();
  const edges = new Map();
  const add = (node) => nodes.set(node.id, { ...nodes.get(node.id), ...node });
  const link = (from, to, more = {}) => edges.set(`${from}→${to}`, { ...edges.get(`${from}→${to}`), from, to, ...more });
  const topic = (name, more = {}) => {
    const id = `topic ${name}`;
    add({ id, kind: "topic", group: null, title: ownName(name, topology.application_id), topic: name, subtitle: "topic", ...more });
    return id;
  };
  const store = (described, group) => {
    const id = `store ${described.name}`;
    add({ id, kind: "store", group, title: described.name, subtitle: described.kind.replaceAll("_", " "), store: described });
    return id;
  };

  for (const each of topology.subtopologies) {
    const group = each.index;
    const idOf = (name) => `step ${group} ${name}`;
    const byName = new Map(each.steps.map((step) => [step.name, step]));
    const roleOf = (name) => byName.get(name)?.role;
    for (const described of each.stores) store(described, group);
    for (const step of each.steps) {
      const declared = step.declared;
      if (step.role === "source") {
        for (const name of step.topics) {
          const role = each.sources.find((source) => source.topic === name)?.role ?? "stream";
          const from = topic(name, { subtitle: role === "repartition" ? "repartition topic" : `${role} topic`, declared, reader: step.name });
          for (const next of step.successors) {
            if (roleOf(next) !== "sink") link(from, idOf(next), { topic: name, group });
            else for (const out of byName.get(next).topics) link(from, topic(out), { topic: name, group });
          }
        }
      } else if (step.role === "sink") {
        for (const name of step.topics) {
          const to = topic(name, step.operator === "repartition" ? {} : { declared, written: true });
          for (const before of step.predecessors) if (roleOf(before) === "processor") link(idOf(before), to);
        }
      } else {
        add({ id: idOf(step.name), kind: "step", group, title: step.name, subtitle: step.operator, step, declared });
        for (const next of step.successors) if (roleOf(next) === "processor") link(idOf(step.name), idOf(next));
        for (const name of step.stores) if (nodes.has(`store ${name}`)) link(idOf(step.name), `store ${name}`, { kept: true });
      }
    }
  }
  for (const { topic: name, store: kept } of topology.global_tables) {
    const described = topology.global_stores.find((each) => each.name === kept);
    if (described) link(topic(name, { subtitle: "global topic" }), store(described, null), { kept: true });
  }
  // A global store is declared behind the steps that look into it.
  for (const each of topology.subtopologies) {
    for (const step of each.steps) {
      for (const name of step.stores) {
        const edge = `step ${each.index} ${step.name}→store ${name}`;
        if (step.role === "processor" && !edges.has(edge) && nodes.has(`store ${name}`)) link(`step ${each.index} ${step.name}`, `store ${name}`, { kept: true });
      }
    }
  }
  const groups = topology.subtopologies.map(({ index, sources }) => ({
    index, tasks: Math.max(0, ...sources.map(({ topic: name }) => topology.partitions[name] ?? 0)),
  }));
  return { nodes: [...nodes.values()], edges: [...edges.values()], groups };
}

const HEIGHTS = { topic: 46, step: 46, store: 46 };
const EDGE_LABEL = { width: 84, height: 30 };

/** Places nodes and edges: `{width, height, boxes: Map id → {x, y, width, height}, lines: [{edge, points, label}],
 * frames: [{group, x, y, width, height}]}`. Centres, in pixels. `direction`: LR or TB. */
export function layout({ nodes, edges, groups }, dagre, direction) {
  const graph = new dagre.Graph({ compound: true });
  graph.setGraph({ rankdir: direction, nodesep: 22, ranksep: 40, edgesep: 14, marginx: 18, marginy: 18 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { index } of groups) graph.setNode(`group ${index}`, {});
  for (const node of nodes) {
    graph.setNode(node.id, { width: widthOf(node), height: HEIGHTS[node.kind] });
    if (node.group !== null) graph.setParent(node.id, `group ${node.group}`);
  }
  for (const edge of edges) graph.setEdge(edge.from, edge.to, edge.topic ? { ...EDGE_LABEL, labelpos: "c" } : { weight: edge.kept ? 1 : 3 });
  dagre.layout(graph);
  const { width, height } = graph.graph();
  return {
    width, height,
    boxes: new Map(nodes.map(({ id }) => [id, graph.node(id)])),
    lines: edges.map((edge) => {
      const { points, x, y } = graph.edge(edge.from, edge.to);
      return { edge, points, label: edge.topic ? { x, y } : null };
    }),
    frames: groups.map((group) => ({ group, ...graph.node(`group ${group.index}`) })).filter(({ width: wide }) => wide),
  };
}

function widthOf({ kind, title, subtitle }) {
  return Math.min(250, Math.max(kind === "store" ? 150 : 112, 34 + 7.4 * title.length, 34 + 6.2 * subtitle.length));
}

/** The layout that needs less shrinking to fit into this much room. */
export function bestLayout(graph, dagre, { width, height }) {
  const fit = (placed) => Math.min(1, width / placed.width, height / placed.height);
  const [across, down] = ["LR", "TB"].map((direction) => layout(graph, dagre, direction));
  return fit(down) > fit(across) ? down : across;
}
