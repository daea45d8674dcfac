"""Starting a worker for a test."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams.app import App
from streams.runtime.listener import Silent
from streams.runtime.worker import Worker
from streams.settings import without_security
from streams.testing.kafka_broker import KafkaBroker
from streams.testing.worker_run import ProcessWorker, ThreadWorker, WorkerRun

COMMIT_INTERVAL_MS = 100


def start_worker(
    app: App | str, broker: KafkaBroker, state_dir: Path, partitions: int, options: Mapping[str, Any]
) -> WorkerRun:
    """See the fixture `worker`. Raises TypeError for an app that is neither an App nor "module:app"."""
    if isinstance(app, App):
        own = app
        chosen: dict[str, Any] = {"query_port": None, "commit_interval_ms": COMMIT_INTERVAL_MS, **options}
        if broker.bundled is not None:
            chosen.setdefault("client_config", without_security(own.settings.client_config))

        def make(listener: Silent) -> Worker:
            return own.worker(
                bootstrap_servers=broker.bootstrap_servers, state_dir=state_dir, listener=listener, **chosen
            )

        return WorkerRun(own, broker, lambda: ThreadWorker(make), partitions)
    if options:
        raise TypeError(f"a worker in a process of its own takes no options, got {', '.join(options)}")
    module, separator, name = app.partition(":")
    found = getattr(importlib.import_module(module), name or "app", None) if separator else None
    if not isinstance(found, App):
        raise TypeError(f"worker takes an App or the name of one, 'module:app', got {app!r}")
    state_dir.mkdir(parents=True, exist_ok=True)
    log = state_dir / "worker.log"

    def start() -> ProcessWorker:
        return ProcessWorker(app, broker.bootstrap_servers, state_dir, log, bundled=broker.bundled is not None)

    return WorkerRun(found, broker, start, partitions)
