// A drawn topology: boxes one can walk through with the arrow keys, arrows with rates and lag.
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { bytes, count, short } from "../figures.js";
import { failures, inputFigures, storeFigures } from "../topology_figures.js";

const CHARACTER = 7.2;

export function Diagram({ graph, placed, live, chosen, choose, scale }) {
  const frame = useRef();
  const order = useMemo(() => [...graph.nodes].sort((one, other) => placed.boxes.get(one.id).x - placed.boxes.get(other.id).x
    || placed.boxes.get(one.id).y - placed.boxes.get(other.id).y), [graph, placed]);
  const [last, setAt] = useState(chosen);
  const at = order.some(({ id }) => id === last) ? last : order[0]?.id;
  useEffect(() => { // the details beside it leave less room
    if (chosen) show(frame.current, chosen);
  }, [chosen, scale]);

  function walk(event, node) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(node.id);
      return;
    }
    const to = neighbour(event.key, node.id, graph, placed.boxes, order);
    if (!to) return;
    event.preventDefault();
    setAt(to);
    show(frame.current, to)?.focus();
  }

  return html`<div class="diagram" ref=${frame}>
    <svg width=${placed.width * scale} height=${placed.height * scale} viewBox="0 0 ${placed.width} ${placed.height}"
      role="group" aria-label="The topology. Arrow keys go from box to box, Enter shows what is known of one.">
      <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.500L8 4L0 7.500z" /></marker></defs>
      ${placed.frames.map(({ group, x, y, width, height }) => html`<g class="group"><rect x=${x - width / 2} y=${y - height / 2} width=${width} height=${height} rx="10" /></g>`)}
      ${placed.lines.map(({ edge, points }) => html`<path class="edge ${edge.kept ? "kept" : ""} ${chosen && (edge.from === chosen || edge.to === chosen) ? "near" : ""}"
        d=${curve(points)} marker-end=${edge.kept ? undefined : "url(#tip)"} />`)}
      ${placed.lines.filter(({ label }) => label).map(({ edge, label }) => html`<${EdgeLabel} edge=${edge} label=${label} live=${live} />`)}
      ${placed.frames.map(({ group, x, y, width, height }) => html`<text class="frame-name" x=${x - width / 2 + 12} y=${y - height / 2 + 17}>
        Sub-topology ${group.index} · ${count(group.tasks)} tasks</text>`)}
      ${order.map((node) => html`<${Box} key=${node.id} node=${node} box=${placed.boxes.get(node.id)} live=${live} isChosen=${node.id === chosen}
        reachable=${node.id === at} onClick=${() => { setAt(node.id); choose(node.id); }} onKeyDown=${(event) => walk(event, node)} />`)}
    </svg>
  </div>`;
}

function show(frame, id) {
  const box = frame.querySelector(`[data-node="${CSS.escape(id)}"]`);
  box?.scrollIntoView({ block: "nearest", inline: "nearest" });
  return box;
}

function EdgeLabel({ edge, label, live }) {
  const { rate, lag } = inputFigures(live, edge.topic, edge.group);
  return html`<g class="edge-label">
    <text x=${label.x} y=${label.y - 5}>${rate === null ? "" : `${short(rate)}/s`}</text>
    <text x=${label.x} y=${label.y + 13} class=${lag > 0 ? "lag" : "quiet"}>${lag === null ? "" : `lag ${short(lag)}`}</text>
  </g>`;
}

function Box({ node, box, live, isChosen, reachable, onClick, onKeyDown }) {
  const { x, y, width, height } = box;
  const [left, top] = [x - width / 2, y - height / 2];
  const failed = failures(live, node.reader ?? node.step?.name ?? "").records;
  const detail = node.kind === "store" ? storeDetail(storeFigures(live, node.store.name), node.subtitle) : node.subtitle;
  const title = cut(node.title, width - 30);
  const words = `${node.kind === "topic" ? "Topic" : node.kind === "store" ? "Store" : "Operator"} ${node.title}, ${detail}${failed ? `, ${failed} failed` : ""}`;
  return html`<g class="box ${node.kind} ${isChosen ? "chosen" : ""} ${failed ? "failed" : ""}" data-node=${node.id} role="button" aria-label=${words}
    aria-pressed=${String(isChosen)} tabindex=${reachable ? 0 : -1} onClick=${onClick} onKeyDown=${onKeyDown}>
    <title>${node.topic ?? node.title}</title>
    <rect x=${left} y=${top} width=${width} height=${height} rx=${node.kind === "topic" ? height / 2 : node.kind === "store" ? 4 : 8} />
    ${node.kind === "store" && html`<path class="lid" d="M${left} ${top + 6}H${left + width}" />`}
    <text class="title" x=${x} y=${top + 21}>${title}</text>
    <text class="subtitle" x=${x} y=${top + 37}>${detail}</text>
    ${failed > 0 && html`<g class="count"><rect x=${left + width - 22} y=${top - 9} width=${14 + 7 * short(failed).length} height="18" rx="9" />
      <text x=${left + width - 15 + 3.5 * short(failed).length} y=${top + 4}>${short(failed)}</text></g>`}
  </g>`;
}

function storeDetail({ rows, bytes: size, waiting }, kind) {
  if (waiting !== null && waiting !== undefined) return `${short(waiting)} waiting`;
  return rows === null ? kind : `${short(rows)} rows · ${bytes(size)}`;
}

function cut(text, width) {
  const room = Math.floor(width / CHARACTER);
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}

/** A smooth line through the points. */
function curve(points) {
  let path = `M${points[0].x} ${points[0].y}`;
  for (let index = 1; index < points.length - 1; index += 1) {
    const [here, next] = [points[index], points[index + 1]];
    const last = index === points.length - 2;
    path += `Q${here.x} ${here.y} ${last ? next.x : (here.x + next.x) / 2} ${last ? next.y : (here.y + next.y) / 2}`;
  }
  return points.length === 2 ? `${path}L${points[1].x} ${points[1].y}` : path;
}

/** The box that an arrow key leads to: along the arrows to the right and left, else the nearest in that direction. */
function neighbour(key, id, { edges }, boxes, order) {
  const here = boxes.get(id);
  if (key === "Home") return order[0].id;
  if (key === "End") return order.at(-1).id;
  const nearest = (ids, size) => ids.sort((one, other) => size(boxes.get(one)) - size(boxes.get(other)))[0];
  const distance = (box) => Math.hypot(box.x - here.x, box.y - here.y);
  if (key === "ArrowRight" || key === "ArrowLeft") {
    const right = key === "ArrowRight";
    const linked = edges.filter((edge) => (right ? edge.from : edge.to) === id).map((edge) => (right ? edge.to : edge.from));
    const beside = order.map((node) => node.id).filter((other) => (right ? boxes.get(other).x > here.x + 1 : boxes.get(other).x < here.x - 1));
    return nearest(linked.length ? linked : beside, distance);
  }
  if (key === "ArrowDown" || key === "ArrowUp") {
    const down = key === "ArrowDown";
    const beyond = order.map((node) => node.id).filter((other) => (down ? boxes.get(other).y > here.y + 1 : boxes.get(other).y < here.y - 1));
    return nearest(beyond, (box) => Math.abs(box.y - here.y) + 2 * Math.abs(box.x - here.x));
  }
  return null;
}
