"""A broker to hold in one's hand: started, asked for its address, killed, restarted, gone without a trace."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from broker import errors
from broker.errors import BrokerError
from broker.options import BrokerOptions
from broker.server.listener import Endpoint

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from broker.faults import Faults
    from broker.serving import Running

START_TIMEOUT_S = 60.0
ORDER_TIMEOUT_S = 30.0
NOT_RUNNING = "the broker is not running; use it as `with Broker() as broker:` or call start()"
STOP_TIMEOUT_S = 30.0
PACKAGE_ROOT = Path(__file__).resolve().parent.parent


class Broker:
    """A Kafka-protocol broker of one node, as a context manager.

    It runs as a process of its own, so that it does not share the interpreter lock with its user, and ends with it,
    however that ends. `in_process=True` runs it in a thread instead, for debugging.

        with Broker() as broker:
            Producer({"bootstrap.servers": broker.bootstrap_servers})

    Raises BrokerError and its kinds if it cannot start. Environment and settings files count for `headrace broker`
    only: a test's broker is what the test says.
    """

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        fsync: Literal["always", "never"] = "never",
        default_partitions: int = 1,
        auto_create_topics: bool = True,
        topic_defaults: Mapping[str, str] | None = None,
        group_initial_rebalance_delay_ms: int = 0,
        schema_registry: bool = False,
        metrics: bool = False,
        config: Mapping[str, object] | None = None,
        options: BrokerOptions | None = None,
        in_process: bool = False,
    ) -> None:
        """The arguments most tests get by with; all others by `config` or `options`.

        Args:
            data: a directory that is kept; without it a temporary one is used and removed at the end.
            schema_registry: with a schema registry on a free port, at `schema_registry_url`.
            metrics: with metrics and health checks on a free port, at `metrics_url`.
            config: any settings of `BrokerOptions`, or Kafka's, by their names: {"log.retention.ms": 60_000}. They
                count before all else.
            options: all at once, instead of the arguments before `config`.
        """
        self.options = options or BrokerOptions(
            data=None if data is None else Path(data),
            host=host,
            port=port,
            fsync=fsync,
            default_partitions=default_partitions,
            auto_create_topics=auto_create_topics,
            topic_defaults=dict(topic_defaults or {}),
            group_initial_rebalance_delay_ms=group_initial_rebalance_delay_ms,
            schema_registry_port=0 if schema_registry else None,
            metrics_port=0 if metrics else None,
        )
        if config:
            from broker.settings import Given, resolve, settings
            from broker.settings.table import flattened

            given = [Given(name, value, "Broker(config=…)") for name, value in flattened(config, settings())]
            base = {field.name: getattr(self.options, field.name) for field in fields(self.options)}
            self.options = resolve([given], base).options
        self.in_process = in_process
        self.temporary: Path | None = None
        """The data directory to remove at the end."""
        self.host = ""
        self.port = 0
        """What clients of the first listener connect to."""
        self.endpoints: tuple[Endpoint, ...] = ()
        """The same of each listener, in the order of the options; empty before the start."""
        self._ports: tuple[int, ...] = ()
        """What is listened on; a restart listens there again."""
        self._schema_registry_url: str | None = None
        self._metrics_url: str | None = None
        self.asking = threading.Lock()
        """Held from an order to its answer."""
        self.process: subprocess.Popen[bytes] | None = None
        self.thread: threading.Thread | None = None
        self.running: Running | None = None

    @property
    def bootstrap_servers(self) -> str:
        """ "host:port" for clients. Raises BrokerError before the start."""
        if not self.port:
            raise BrokerError(NOT_RUNNING)
        return self.endpoints[0].address

    def bootstrap_servers_of(self, listener: str) -> str:
        """The same for clients of the listener with that name. Raises BrokerError: there is none, or not yet."""
        for endpoint in self.endpoints:
            if endpoint.listener == listener:
                return endpoint.address
        raise BrokerError(f"no listener {listener!r}; there are {[one.listener for one in self.endpoints]}")

    @property
    def schema_registry_url(self) -> str:
        """ "http://host:port" of the schema registry. Raises BrokerError before the start, and where there is none."""
        if self._schema_registry_url is None:
            raise BrokerError("there is no schema registry: start the broker with Broker(schema_registry=True)")
        return self._schema_registry_url

    @property
    def metrics_url(self) -> str:
        """ "http://host:port/metrics". Raises BrokerError before the start, and where there is none."""
        if self._metrics_url is None:
            raise BrokerError("there are no metrics: start the broker with Broker(metrics=True)")
        return self._metrics_url

    @property
    def data(self) -> Path | None:
        """The data directory, temporary or not; None before the start if it is to be temporary."""
        return self.options.data or self.temporary

    # -- life --------------------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when clients can connect."""
        if self.process is not None or self.thread is not None:
            raise BrokerError("the broker is running already")
        if self.options.data is None and self.temporary is None:
            from broker.serving import temporary_data

            self.temporary = temporary_data()
        options = replace(self.options, data=self.data)
        if self._ports:  # of before a restart
            again = zip(options.listeners, self._ports)
            options = replace(
                options,
                port=self._ports[0],
                listeners=tuple(replace(listener, port=port) for listener, port in again),
            )
        if self._schema_registry_url is not None:  # of before a restart
            options = replace(options, schema_registry_port=urlsplit(self._schema_registry_url).port)
        if self._metrics_url is not None:
            options = replace(options, metrics_port=urlsplit(self._metrics_url).port)
        try:
            if self.in_process:
                self.start_thread(options)
            else:
                self.start_process(options)
        except BaseException:
            self.remove_temporary()
            raise

    def stop(self) -> None:
        """Shuts it down cleanly, and removes temporary data. Nothing happens if it is not running."""
        self.shut_down()
        self.remove_temporary()

    def restart(self) -> None:
        """Stops it cleanly, if it still runs, and starts it on the same data and port."""
        self.shut_down()
        self.start()

    def kill(self) -> None:
        """SIGKILL: a crash. The data stays; `restart` starts it again on the same port."""
        if self.process is None:
            raise BrokerError("only a broker that runs as a process can be killed (in_process=False)")
        self.process.kill()
        self.reap(self.process)

    def shut_down(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.reap(self.process)
        if self.thread is not None:
            assert self.running is not None
            self.running.stop()
            self.thread.join()
            self.thread = self.running = None

    def reap(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self.process = None

    def remove_temporary(self) -> None:
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
            self.temporary = None
        self.port, self.endpoints, self._ports = 0, (), ()
        self._schema_registry_url = self._metrics_url = None

    # -- orders ------------------------------------------------------------------------------------------------------
    @property
    def faults(self) -> Faults:
        """Faults for clients to meet: `broker.faults.error("Heartbeat", "NOT_COORDINATOR", times=1)`."""
        from broker.faults import Faults

        return Faults(self.ask)

    def kill_connections(self) -> int:
        """Closes the connections of all clients, who may connect again; returns how many there were."""
        return self.ask({"do": "kill_connections"})

    def advance_clock(self, by: timedelta) -> int:
        """Moves the broker's clock on: sessions, transactions, retention and all else that waits for a time sees so
        much of it pass at once. Returns the time it has now, ms since the epoch. Raises BrokerError for a step back.
        """
        return self.ask({"do": "advance_clock", "ms": by // timedelta(milliseconds=1)})

    def log_requests(self, on: bool = True) -> None:
        """Logs each request, in one line on stderr (in process: the logger `broker.requests`), until it is off."""
        self.ask({"do": "log_requests", "on": on})

    def ask(self, order: Mapping[str, Any]) -> Any:
        """Has the running broker carry out an order (`broker.control`). Raises BrokerError."""
        if self.running is not None:
            answer = self.running.ask(order)
        else:
            with self.asking:
                if self.process is None:
                    raise BrokerError(NOT_RUNNING)
                self.send(self.process, json.dumps(order).encode())
                answer = self.read_line(self.process, ORDER_TIMEOUT_S)
        if "result" not in answer:
            raise BrokerError(answer.get("error") or answer.get("message") or "the broker process has died")
        return answer["result"]

    def remember(
        self,
        endpoints: tuple[Endpoint, ...],
        ports: tuple[int, ...],
        schema_registry_url: str | None,
        metrics_url: str | None,
    ) -> None:
        """What a start has come to."""
        self.endpoints, self._ports = endpoints, ports
        self.host, self.port = endpoints[0].host, endpoints[0].port
        self._schema_registry_url, self._metrics_url = schema_registry_url, metrics_url

    # -- process -----------------------------------------------------------------------------------------------------
    def start_process(self, options: BrokerOptions) -> None:
        # -P: a broker.py in the user's working directory must not be taken for this package.
        command = [sys.executable, "-P", "-m", "broker.child"]
        path = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            command,
            bufsize=0,  # nothing of an order is left behind for the pipe's end
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # a Ctrl-C is for the user's program, which then stops the broker, last
        )
        self.process = process
        self.send(
            process, base64.b64encode(pickle.dumps(replace(options, topic_defaults=dict(options.topic_defaults))))
        )
        line = self.read_line(process, START_TIMEOUT_S)
        if "endpoints" in line:
            endpoints = tuple(Endpoint(*endpoint) for endpoint in line["endpoints"])
            self.remember(endpoints, tuple(line["ports"]), line["schema_registry_url"], line["metrics_url"])
            return
        process.kill()
        self.reap(process)
        kind = getattr(errors, str(line.get("error")), BrokerError)
        raise kind(str(line.get("message") or "the broker process died at its start; see its messages on stderr"))

    def send(self, process: subprocess.Popen[bytes], line: bytes) -> None:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died, which what it said before, or not, tells
            process.stdin.write(line + b"\n")

    def read_line(self, process: subprocess.Popen[bytes], timeout_s: float) -> dict[str, Any]:
        """What the process says next; empty if it died. A message if it says nothing in time."""
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        deadline = time.monotonic() + timeout_s
        content = b""
        while not content.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(descriptor, 65_536) if ready else b""
            if not chunk:
                return {} if ready else {"message": f"the broker said nothing for {timeout_s:.0f} s"}
            content += chunk
        return json.loads(content)

    # -- thread ------------------------------------------------------------------------------------------------------
    def start_thread(self, options: BrokerOptions) -> None:
        from broker.serving import Running

        started = threading.Event()
        failure: list[BaseException] = []

        def ready(host: str, port: int) -> None:
            self.remember(running.endpoints, running.ports, running.schema_registry_url, running.metrics_url)
            started.set()

        running = Running(options, ready)

        def run() -> None:
            try:
                running.run(alone=False, signals=False)
            except BaseException as error:
                failure.append(error)
            finally:
                started.set()

        thread = threading.Thread(target=run, name="broker", daemon=True)
        thread.start()
        started.wait(START_TIMEOUT_S)
        if failure:
            thread.join()
            raise failure[0]
        self.running, self.thread = running, thread
