// The stores: what there is, and what is in them.
import { html } from "../html.js";
import { useAsk } from "../asking.js";
import { Empty, Waiting } from "../components/empty.js";
import { Page, Panel } from "../components/page.js";
import { Problem } from "../components/problem.js";
import { StoreBrowser } from "../components/store_browser.js";
import { Table } from "../components/table.js";
import { bytes, count, short } from "../figures.js";
import { useLive } from "../live.js";
import { go, href } from "../router.js";
import { storeFigures } from "../topology_figures.js";

export default function Stores({ rest, words }) {
  const { data, error, again } = useAsk("/stores", {}, { everyMs: 5000 });
  const live = useLive();
  const [name] = rest;
  const chosen = data?.find((store) => store.name === name);
  if (!data) return html`<${Page} title="Stores">${error ? html`<${Problem} error=${error} again=${again} />` : html`<${Waiting} />`}<//>`;
  if (name && !chosen) return html`<${Page} title=${name}><${Problem} error=${{ message: `There is no store “${name}” in this topology.` }} /><p><a href=${href("stores")}>All stores</a></p><//>`;
  if (chosen) return html`<${Store} key=${name} store=${chosen} words=${words} live=${live} />`;
  return html`<${Page} title="Stores" lead="What the application knows. Choose one to look into it.">
    <${Problem} error=${error} again=${again} />
    <${Panel} flush><${Table} label="Stores" columns=${columns(live)} rows=${data} rowKey=${(store) => store.name} initial="name" open=${(store) => go("stores", [store.name])}
      empty=${html`<${Empty} title="This topology keeps no state">Tables, aggregations and joins would: their stores are shown here.<//>`} /><//>
  <//>`;
}

function columns(live) {
  const figures = ({ name }) => storeFigures(live, name);
  const holders = ({ owners }) => Object.values(owners);
  return [
    { name: "name", title: "Store", sort: ({ name }) => name, cell: ({ name }) => html`<a href=${href("stores", [name])} tabindex="-1">${name}</a>` },
    { name: "kind", title: "Kind", sort: ({ kind }) => kind, cell: ({ kind, global }) => `${kind.replaceAll("_", " ")}${global ? ", global" : ""}` },
    { name: "key", title: "Keys", cell: ({ key_type }) => key_type },
    { name: "rows", title: "Rows", numeric: true, sort: (store) => figures(store).rows, cell: (store) => short(figures(store).rows ?? figures(store).waiting) },
    { name: "size", title: "Size", numeric: true, sort: (store) => figures(store).bytes, cell: (store) => bytes(figures(store).bytes) },
    { name: "partitions", title: "Partitions", numeric: true, cell: (store) => {
      const away = holders(store).filter((owner) => owner === null).length;
      return html`${count(holders(store).length)}${away > 0 && html` <span class="lost">${away} on their way</span>`}`;
    } },
    { name: "changelog", title: "Changelog", cell: ({ changelog }) => html`<span class="small muted">${changelog ?? "none"}</span>` },
  ];
}

function Store({ store, words, live }) {
  const { rows, bytes: size } = storeFigures(live, store.name);
  const facts = [store.kind.replaceAll("_", " "), `keys ${store.key_type}`, rows !== null && `about ${count(rows)} rows`, size !== null && bytes(size), `of ${store.topics.join(", ")}`];
  return html`<${Page} title=${store.name} lead=${facts.filter(Boolean).join(" · ")} actions=${html`<a href=${href("stores")}>All stores</a>`}>
    ${store.kind.endsWith("buffer") ? html`<${Empty} title="This store cannot be looked into">It holds records that wait for their time. How many wait is in the list of stores.<//>`
      : html`<${StoreBrowser} store=${store} words=${words} />`}
  <//>`;
}
