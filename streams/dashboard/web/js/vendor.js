// Libraries that only some pages need, loaded when the first one does.
let uplot = null;

/** The uPlot constructor. It comes as a plain script that sets a global. */
export function loadUplot() {
  uplot ??= new Promise((done, failed) => {
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "vendor/uplot.css" });
    const script = Object.assign(document.createElement("script"), { src: "vendor/uplot.js" });
    script.onload = () => done(window.uPlot);
    script.onerror = () => {
      uplot = null;
      failed(new Error("The charts could not be loaded. Is the worker still running?"));
    };
    document.head.append(style, script);
  });
  return uplot;
}

export function loadDagre() {
  return import("dagre");
}
