// The drawings of the navigation and of states, as paths in a box of 20.
import { html } from "./html.js";

const PATHS = {
  overview: "M3 17V9m5 8V4m5 13v-6m5 6V7",
  topology: "M3 5h5v4H3zM12 3h5v4h-5zM12 13h5v4h-5zM8 7h2.500v-2H12M10.500 7v8H12",
  tasks: "M3 5h2m3 0h9M3 10h2m3 0h9M3 15h2m3 0h9",
  stores: "M4 5.500C4 4 6.700 3 10 3s6 1 6 2.500S13.300 8 10 8 4 7 4 5.500zm0 0v9C4 16 6.700 17 10 17s6-1 6-2.500v-9M4 10c0 1.500 2.700 2.500 6 2.500s6-1 6-2.500",
  topics: "M3 6h14M3 10h14M3 14h9M15 12l3 2-3 2z",
  groups: "M7 9a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zm6.500 0a2 2 0 1 0 0-4M2.500 16c0-2.800 2-4.500 4.500-4.500s4.500 1.700 4.500 4.500m2-4.500c2.300 0 4 1.600 4 4",
  letters: "M3 5h14v10H3zM3 6l7 5 7-5",
  sun: "M10 6.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7zM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100",
  moon: "M16 11.800A6.500 6.500 0 0 1 8.200 4 6.500 6.500 0 1 0 16 11.800z",
  system: "M3 4h14v9H3zM7 17h6M10 13v4",
  close: "M5 5l10 10M15 5L5 15",
  up: "M5 12l5-5 5 5",
  down: "M5 8l5 5 5-5",
  warning: "M10 3l8 14H2zM10 8v4m0 2.200v.1",
  search: "M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4zm3.700 8.700L17 17",
};

export function Icon({ name, label = null }) {
  return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden=${label ? undefined : "true"} role=${label ? "img" : undefined}
    aria-label=${label}><path d=${PATHS[name]} /></svg>`;
}
