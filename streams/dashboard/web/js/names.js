// Names without what everybody knows: those of workers and internal topics begin with the application's id.

/** A worker's. */
export function shortName(name, { application }) {
  return name.startsWith(`${application}-`) ? name.slice(application.length + 1) : name;
}

/** A topic's, with a mark for what is left out. */
export function ownName(topic, application) {
  return topic.startsWith(`${application}-`) ? `…${topic.slice(application.length)}` : topic;
}
