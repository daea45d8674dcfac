// Markup in template strings, and the hooks, from one place.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
export { Component, Fragment, render } from "preact";
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
