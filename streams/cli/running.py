"""A worker in this process, told about on stderr and stopped by signals."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.cli.home import Home
from streams.cli.logs import name_in_logs
from streams.cli.stopping import StopRequest, stop_signals
from streams.cli.worker_listener import Dashboard, TalkingListener

if TYPE_CHECKING:
    from streams.app import App
    from streams.discovery import BrokerLocation
    from streams.runtime.worker import Worker


@contextmanager
def worker_here(
    app: App,
    location: BrokerLocation,
    state_dir: Path,
    home: Home,
    *,
    web: bool = False,
    web_port: int | None = None,
    tells_dashboard: bool = True,
) -> Generator[tuple[Worker, StopRequest]]:
    """A worker that the block is to run, and the signals that stop it meanwhile. It is announced in `home`.

    `web` and `web_port` are what the command says of the dashboard, over what the application's settings do;
    `tells_dashboard`: where it is, is said here, not by whoever started the process.
    """
    from streams.runtime.stop_signals import AT_ONCE

    settings = app.settings
    chosen: dict[str, Any] = {"web": True} if web or web_port is not None else {}
    if web_port is not None:
        chosen["web_port"] = web_port
    dashboard = Dashboard(port=web_port or settings.web_port) if (chosen or settings.web) and tells_dashboard else None
    listener = TalkingListener(home, settings.application_id, dashboard, tls=settings.query_tls_certificate is not None)
    worker = app.worker(
        bootstrap_servers=location.bootstrap_servers,
        state_dir=state_dir,
        listener=listener,
        client_config=location.client_properties(settings.client_config),
        **chosen,
    )
    name_in_logs(settings.application_id, lambda: worker.client_id)
    with closing(listener), stop_signals(worker.stop, at_once=AT_ONCE) as stop:
        yield worker, stop
