// A line over the last minutes.
import { html, useEffect, useRef, useState } from "../html.js";
import { colour } from "../theme.js";
import { loadUplot } from "../vendor.js";

const HEIGHT = 150;

/** `times` in ms; `values` as many, null where nothing is known; `format(value)` for the axis; `tone`: the number of the
 * style sheet's chart colour; the axis reaches at least up to `least`. What it shows is said in words by `summary`, for those who cannot see it. */
export function Chart({ title, times, values, format, summary, tone = 1, least = 10, spanMs = 5 * 60_000 }) {
  const frame = useRef();
  const plot = useRef(null);
  const latest = useRef({ times, values });
  latest.current = { times, values };
  const [problem, setProblem] = useState(null);

  useEffect(() => {
    let left = false;
    const element = frame.current;
    const draw = async () => {
      const Plot = await loadUplot();
      if (left) return;
      plot.current?.destroy();
      plot.current = new Plot(options({ title, format, tone, spanMs, least }, element.clientWidth), data(latest.current), element);
    };
    const redraw = () => draw().catch(setProblem);
    redraw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    window.addEventListener("themechange", redraw);
    return () => {
      left = true;
      resized.disconnect();
      window.removeEventListener("themechange", redraw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data({ times, values })), [times.at(-1)]);
  return html`<figure class="chart">
    <figcaption><span>${title}</span><strong>${summary}</strong></figcaption>
    ${problem ? html`<p class="muted">${problem.message}</p>` : html`<div ref=${frame} aria-hidden="true"></div>`}
  </figure>`;
}

function data({ times, values }) {
  return [times.map((ms) => ms / 1000), values];
}

function options({ title, format, tone, spanMs, least }, width) {
  const line = colour(`--chart-${tone}`);
  const axis = {
    stroke: colour("--muted"), font: "11.5px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
  };
  return {
    width, height: HEIGHT, legend: { show: false }, padding: [8, 6, 0, 0],
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { range: (_, first, last) => [Math.min(first ?? 0, (last ?? 0) - spanMs / 5000), last ?? 1] },
      y: { range: (_, low, most) => [0, Math.max(most ?? 0, least) * 1.15] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 26, values: (_, ticks) => ticks.map(clock) },
      { ...axis, size: 52, space: 36, values: (_, ticks) => ticks.map((value) => format(value)) },
    ],
    series: [{}, { label: title, stroke: line, width: 1.75, fill: line.replace("rgb(", "rgba(").replace(")", ", 0.11)"), points: { show: false } }],
  };
}

function clock(seconds) {
  const at = new Date(seconds * 1000);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
