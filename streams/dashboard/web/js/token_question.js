// Asks for the application's token when the worker wants one.
import { html, useEffect, useState } from "./html.js";
import { setToken } from "./token.js";

export function TokenQuestion() {
  const [asked, setAsked] = useState(null);
  const [text, setText] = useState("");
  useEffect(() => {
    const ask = (event) => setAsked(event.detail);
    const answered = () => setAsked(null);
    window.addEventListener("tokenwanted", ask);
    window.addEventListener("tokenset", answered);
    return () => {
      window.removeEventListener("tokenwanted", ask);
      window.removeEventListener("tokenset", answered);
    };
  }, []);
  if (!asked) return null;
  const answer = (event) => {
    event.preventDefault();
    setToken(text);
    setText("");
  };
  return html`<form class="panel token" onSubmit=${answer}>
    <h2>${asked.wrong ? "That is not the token" : "This application asks for its token"}</h2>
    <p>It is the application’s <code>query_token</code> (<code>HEADRACE_QUERY_TOKEN</code>). It is kept for this tab only.</p>
    <label>Token <input type="password" autocomplete="off" required value=${text} onInput=${(event) => setText(event.target.value)} /></label>
    <button type="submit" class="primary">Go on</button>
  </form>`;
}
