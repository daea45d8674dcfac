"""A worker in this process, told about on stderr and stopped by signals."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.home import Home
from streams.cli.logs import name_in_logs
from streams.cli.stopping import StopRequest, stop_signals
from streams.cli.worker_listener import TalkingListener

if TYPE_CHECKING:
    from streams.app import App
    from streams.discovery import BrokerLocation
    from streams.runtime.worker import Worker


@contextmanager
def worker_here(
    app: App, location: BrokerLocation, state_dir: Path, home: Home
) -> Generator[tuple[Worker, StopRequest]]:
    """A worker that the block is to run, and the signals that stop it meanwhile. It is announced in `home`."""
    listener = TalkingListener(home, app.settings.application_id)
    worker = app.worker(
        bootstrap_servers=location.bootstrap_servers,
        state_dir=state_dir,
        listener=listener,
        client_config=location.client_properties(app.settings.client_config),
    )
    name_in_logs(app.settings.application_id, lambda: worker.client_id)
    with closing(listener), stop_signals(worker.stop) as stop:
        yield worker, stop
