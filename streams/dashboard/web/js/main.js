import { html, render } from "./html.js";
import { Shell } from "./shell.js";
import { applyTheme } from "./theme.js";

applyTheme();
render(html`<${Shell} />`, document.getElementById("app"));
