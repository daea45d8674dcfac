"""An application that runs for the time of a test, on a thread or in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from streams.app import App
from streams.operators.sink import Sink
from streams.operators.source import Source
from streams.runtime.listener import Silent
from streams.runtime.phase import WorkerState
from streams.runtime.worker import Worker
from streams.testing.difference import Expected
from streams.testing.kafka_broker import KafkaBroker
from streams.testing.live_topics import DEADLINE_S, LiveOutputTopic
from streams.testing.topics import InputTopic

STOP_S = 60.0


class Running(Protocol):
    """One worker."""

    def check(self) -> None:
        """Raises what it failed with."""
        ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...


class WorkerRun:
    """A worker and the topics of its application, with the types the application declared.

    Stop it with `stop()`, start another on the same state with `restart()`; the fixture stops it in any case. Whatever
    waits for records raises what the worker failed with, if it did.
    """

    def __init__(self, app: App, broker: KafkaBroker, start: Callable[[], Running], partitions: int) -> None:
        self.app = app
        self.broker = broker
        self._start = start
        self._outputs: dict[str, LiveOutputTopic] = {}
        self._plan = app.plan()
        broker.belongs_to_test(self._plan.application_id)
        broker.create_topics(*self._plan.source_topics(), *self._sinks(), partitions=partitions)
        self.running = start()

    def input_topic(self, name: str, *, key: Any = None, value: Any = None) -> InputTopic:
        """See `TopologyTestDriver.input_topic`; records go to the log."""
        schemas = (n.schema for n in self._nodes() if isinstance(n, Source) and name in n.topics)
        schema = next(schemas, None)
        if schema is None:
            raise KeyError(f"the topology reads no topic {name!r}; it reads {', '.join(self._plan.source_topics())}")
        return self.broker.input_topic(name, key=key or schema.key_serde(), value=value or schema.value_serde())

    def output_topic(self, name: str, *, key: Any = None, value: Any = None) -> LiveOutputTopic:
        """Reads a topic from its beginning; the same handle each time."""
        if name not in self._outputs:
            schema = next((n.schema for n in self._nodes() if isinstance(n, Sink) and n.topic == name), None)
            key = key or (schema.key_serde() if schema else bytes)
            value = value or (schema.value_serde() if schema else bytes)
            self._outputs[name] = self.broker.output_topic(name, key=key, value=value, check=self.check)
        return self._outputs[name]

    def assert_records(self, topic: str, expected: Expected) -> None:
        """That these are the next records on `topic`; waits for them."""
        __tracebackhide__ = True
        self.output_topic(topic).assert_records(expected)

    def check(self) -> None:
        """Raises what the worker failed with, if it did."""
        self.running.check()

    def stop(self) -> None:
        """Commits and ends. Raises what the worker failed with."""
        self.running.stop()

    def kill(self) -> None:
        """SIGKILL: nothing is committed. Only for a worker in a process of its own."""
        self.running.kill()

    def restart(self) -> None:
        """Starts another worker on the same state directory, after `stop()` or `kill()`."""
        self.running = self._start()

    def _nodes(self) -> Any:
        return (node for sub in self._plan.subtopologies for node in sub.nodes)

    def _sinks(self) -> list[str]:
        return [topic for sub in self._plan.subtopologies for topic in sub.sinks]


class ThreadWorker:
    """A worker on a thread. Returns from its construction when its tasks run."""

    def __init__(self, make: Callable[[Silent], Worker]) -> None:
        self._settled = threading.Event()
        settled = self._settled

        class Listener(Silent):
            def on_state(self, before: WorkerState, after: WorkerState) -> None:
                if after is WorkerState.RUNNING:
                    settled.set()

        self.worker = make(Listener())
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="headrace-worker", daemon=True)
        self._thread.start()
        started = self._settled.wait(STOP_S)
        self.check()
        if not started:
            self.worker.stop()
            raise AssertionError(f"the worker's tasks do not run after {STOP_S:.0f} s")

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:
            self._error = error
        finally:
            self._settled.set()

    def check(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None  # told once: stopping it afterwards is no second failure
            raise error

    def stop(self) -> None:
        self.worker.stop()
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            raise AssertionError(f"the worker did not stop in {STOP_S:.0f} s")
        self.check()

    def kill(self) -> None:
        raise AssertionError("a thread cannot be killed; start the worker in a process: worker('app.py:app')")


class ProcessWorker:
    """`headrace worker` in a process of its own."""

    def __init__(self, application: str, bootstrap_servers: str, state_dir: Path, log: Path, *, bundled: bool) -> None:
        self.log = log
        command = [
            *(sys.executable, "-P", "-m", "streams.cli", "worker", application),
            *("--bootstrap-servers", bootstrap_servers, "--state-dir", str(state_dir)),
            *("--announce-in", str(state_dir / "home"), "--until-stdin-closes"),
            *(["--security-protocol", "PLAINTEXT"] if bundled else []),
        ]
        (state_dir / "home").mkdir(parents=True, exist_ok=True)
        path = os.pathsep.join(sys.path)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # closes with this process, however it ends
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path},
            )

    def check(self) -> None:
        code = self.process.poll()
        if code not in (None, 0, -signal.SIGKILL):
            raise AssertionError(f"the worker's process ended with {code}:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self._end(STOP_S)
        self.check()

    def kill(self) -> None:
        self.process.kill()
        self._end(DEADLINE_S)

    def _end(self, timeout_s: float) -> None:
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the worker did not stop in {timeout_s:.0f} s:\n{self.log.read_text()}") from None
        finally:
            if self.process.stdin is not None:
                self.process.stdin.close()
