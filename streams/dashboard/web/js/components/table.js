// A table that sorts by its headings and is walked through with the arrow keys.
import { html, useRef, useState } from "../html.js";
import { Icon } from "../icon.js";

/** `columns`: `{name, title, cell(row), sort(row)?, numeric?, wide?}`; `sort` gives what to order by, and makes the
 * heading a button. `rowKey(row)` tells rows apart. `open(row)`: rows can be chosen, by a click or Enter; `isOpen(row)`
 * marks the chosen one. `select(row)`: what Space does, if not the same. `label` names the table. `initial`: the name of the column it is sorted by at first; "-name"
 * for the greatest first. */
export function Table({ columns, rows, rowKey, label, open = null, select = open, isOpen = () => false, initial = null, empty = null }) {
  const [order, setOrder] = useState(initial);
  const [at, setAt] = useState(0);
  const body = useRef();
  const sorted = sortedRows(rows, columns, order);
  const reachable = Math.min(at, Math.max(sorted.length - 1, 0));

  function walk(event, row, index) {
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: sorted.length - 1 }[event.key];
    if (to !== undefined && to >= 0 && to < sorted.length) {
      event.preventDefault();
      setAt(to);
      body.current.rows[to].focus();
    } else if ((event.key === "Enter" || event.key === " ") && event.target === event.currentTarget) {
      event.preventDefault();
      (event.key === " " ? select : open)(row);
    }
  }

  return html`<div class="table-frame" role="region" aria-label=${label} tabindex=${open ? undefined : 0}>
    <table>
      <thead><tr>${columns.map((column) => html`<${Heading} column=${column} order=${order} setOrder=${setOrder} />`)}</tr></thead>
      <tbody ref=${body}>
        ${sorted.map((row, index) => html`<tr key=${rowKey(row)} class=${open ? "choosable" : ""}
          aria-current=${isOpen(row) ? "true" : undefined} tabindex=${open ? (index === reachable ? 0 : -1) : undefined}
          onClick=${open ? () => { setAt(index); open(row); } : undefined}
          onKeyDown=${open ? (event) => walk(event, row, index) : undefined}>
          ${columns.map((column) => html`<td class=${columnClass(column)}>${column.cell(row)}</td>`)}
        </tr>`)}
      </tbody>
    </table>
    ${!sorted.length && empty}
  </div>`;
}

function Heading({ column, order, setOrder }) {
  const { name, title } = column;
  const direction = order === name ? "ascending" : order === `-${name}` ? "descending" : "none";
  if (!column.sort) return html`<th scope="col" class=${columnClass(column)}>${title}</th>`;
  const turn = () => setOrder(direction === "none" ? (column.numeric ? `-${name}` : name)
    : direction === "ascending" ? `-${name}` : name);
  return html`<th scope="col" class=${columnClass(column)} aria-sort=${direction}>
    <button type="button" class="heading" onClick=${turn}>${title}
      ${direction !== "none" && html`<${Icon} name=${direction === "ascending" ? "up" : "down"} />`}</button>
  </th>`;
}

function columnClass({ numeric, wide }) {
  return [numeric && "numeric", wide && "wide"].filter(Boolean).join(" ");
}

function sortedRows(rows, columns, order) {
  const column = columns.find(({ name, sort }) => sort && (order === name || order === `-${name}`));
  if (!column) return rows;
  const sign = order.startsWith("-") ? -1 : 1;
  return [...rows].sort((one, other) => sign * compare(column.sort(one), column.sort(other)));
}

const text = new Intl.Collator("en", { numeric: true });

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return typeof one === "number" && typeof other === "number" ? one - other : text.compare(String(one), String(other));
}
