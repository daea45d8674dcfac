// The pages in the order of the navigation. Each is loaded when it is first opened.
export const PAGES = [
  { path: "", title: "Overview", icon: "overview", load: () => import("./pages/overview.js") },
  { path: "topology", title: "Topology", icon: "topology", load: () => import("./pages/topology.js") },
  { path: "tasks", title: "Tasks", icon: "tasks", load: () => import("./pages/tasks.js") },
  { path: "stores", title: "Stores", icon: "stores", load: () => import("./pages/stores.js") },
  { path: "topics", title: "Topics", icon: "topics", load: () => import("./pages/topics.js") },
  { path: "groups", title: "Groups", icon: "groups", load: () => import("./pages/groups.js") },
  { path: "dead-letters", title: "Dead letters", icon: "letters", load: () => import("./pages/dead_letters.js") },
];
