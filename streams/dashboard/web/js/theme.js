// Light or dark: the system's choice, until a person chooses.
const KEY = "headrace-theme";

/** "light", "dark", or null for what the system says. */
export function chosenTheme() {
  return localStorage.getItem(KEY);
}

export function applyTheme() {
  const chosen = chosenTheme();
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
  window.dispatchEvent(new Event("themechange"));
}

export function chooseTheme(theme) {
  if (theme) localStorage.setItem(KEY, theme);
  else localStorage.removeItem(KEY);
  applyTheme();
}

/** The value of a custom property of the style sheet, as it is now. `light-dark()` is resolved by asking an element. */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
