"""One query on headrace. Arguments: its name, bootstrap servers, input topics with commas, output topic, group, state
directory."""

from __future__ import annotations

import sys
from importlib import import_module

from streams import App


def main(query: str, bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    import_module(f"bench.nexmark.{query}").declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:7])
