// Workers that cannot reach the broker, while the page can reach them.

/** Those of `workers`, the longest cut off first. */
export function cutOff(workers) {
  const since = ({ thread }) => thread?.unreachable_since ?? null;
  return Object.values(workers).filter((worker) => since(worker) !== null).sort((one, other) => since(one) - since(other));
}
