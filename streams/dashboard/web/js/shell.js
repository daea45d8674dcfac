// What stands around every page: navigation, the state of the connection, the token's question.
import { html, useEffect, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Problem } from "./components/problem.js";
import { Waiting } from "./components/empty.js";
import { cutOff } from "./cut_off.js";
import { duration, moment } from "./figures.js";
import { live, useLive } from "./live.js";
import { PAGES } from "./pages.js";
import { href, useRoute } from "./router.js";
import { chooseTheme, chosenTheme } from "./theme.js";
import { TokenQuestion } from "./token_question.js";

export function Shell() {
  const { page, rest, words } = useRoute();
  const entry = PAGES.find(({ path }) => path === page);
  useEffect(() => live.start(), []);
  const [tokens, setTokens] = useState(0);
  useEffect(() => { // what was refused is asked again
    const given = () => setTokens((number) => number + 1);
    window.addEventListener("tokenset", given);
    return () => window.removeEventListener("tokenset", given);
  }, []);
  return html`
    <a class="skip" href="#content" onClick=${skip}>Skip to the page</a>
    <div class="shell">
      <${Side} page=${page} />
      <main id="content" tabindex="-1">
        <${Connection} />
        <${BrokerLost} />
        <${TokenQuestion} />
        ${entry ? html`<${Loaded} key=${`${entry.path} ${tokens}`} entry=${entry} rest=${rest} words=${words} />`
          : html`<${Problem} error=${{ message: `There is no page “${page}”. The navigation has all there are.` }} />`}
      </main>
    </div>`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

function Side({ page }) {
  const { about } = useLive();
  useEffect(() => { // in a narrow window the navigation is a line longer than the window
    const here = document.querySelector("nav [aria-current]");
    const list = here?.closest("ul");
    if (list) list.scrollLeft = here.offsetLeft - list.offsetLeft - (list.clientWidth - here.offsetWidth) / 2; // scrollIntoView would move where Tab begins
  }, [page]);
  return html`<header class="side">
    <a class="brand" href=${href("")}><img src="icon.svg" alt="" width="26" height="26" /><span>headrace</span></a>
    <p class="application" title="application_id">${about?.application ?? ""}</p>
    <nav aria-label="Pages"><ul>
      ${PAGES.map(({ path, title, icon }) => html`<li><a href=${href(path)} aria-current=${path === page ? "page" : undefined}>
        <${Icon} name=${icon} /><span>${title}</span></a></li>`)}
    </ul></nav>
    <${ThemeChoice} />
  </header>`;
}

function ThemeChoice() {
  const [chosen, setChosen] = useState(chosenTheme());
  const choose = (theme) => {
    chooseTheme(theme);
    setChosen(theme);
  };
  const choices = [["light", "sun", "Light"], [null, "system", "As the system"], ["dark", "moon", "Dark"]];
  return html`<div class="themes" role="group" aria-label="Colours">
    ${choices.map(([theme, icon, label]) => html`<button type="button" class="quiet" title=${label}
      aria-pressed=${String(chosen === theme)} onClick=${() => choose(theme)}><${Icon} name=${icon} label=${label} /></button>`)}
  </div>`;
}

function Connection() {
  const { status, error, lostAt } = useLive();
  const [, setTurn] = useState(0);
  useEffect(() => {
    if (status !== "lost") return undefined;
    const timer = setInterval(() => setTurn((turn) => turn + 1), 1000);
    return () => clearInterval(timer);
  }, [status]);
  if (status !== "lost" || error?.status === 401) return null;
  const since = duration((Date.now() - lostAt) / 1000);
  const why = error && error.status ? ` ${error.message}` : "";
  return html`<div class="banner" role="status">
    No word from the worker for ${since}: it may be restarting. What is shown is from before.${why} Looking for it again …
  </div>`;
}

/** The workers go on with what they have; nothing comes in and nothing is committed. */
function BrokerLost() {
  const { about, workers, status } = useLive();
  const cut = status === "live" ? cutOff(workers) : [];
  if (!cut.length) return null;
  const who = cut.length === Object.keys(workers).length ? "No worker can" : `${cut.map(({ name }) => name).join(", ")} cannot`;
  const since = cut[0].thread.unreachable_since;
  return html`<div class="banner bad" role="status">
    <strong>${who} reach the broker</strong> at <code>${about.bootstrap_servers}</code> since ${moment(since - (since % 1000))}.
    Nothing is processed and committed until it answers; then they go on by themselves. Is it running, and within their reach?
  </div>`;
}

/** A page's module, once it is there. It exports `default`, a component that gets `rest` and `words` of the route. */
function Loaded({ entry, rest, words }) {
  const [found, setFound] = useState({ page: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let left = false;
    entry.load().then(
      (module) => left || setFound({ page: module.default, error: null }),
      () => left || setFound({ page: null, error: new Error(`The page “${entry.title}” could not be loaded. Is the worker still running?`) }),
    );
    return () => { left = true; };
  }, [turn]);
  if (found.error) return html`<${Problem} error=${found.error} again=${() => setTurn(turn + 1)} />`;
  return found.page ? html`<${found.page} rest=${rest} words=${words} />` : html`<${Waiting} what="Loading" />`;
}
