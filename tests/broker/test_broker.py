"""The life of a broker: started, stopped, gone without a trace; and why it does not start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from broker import AddressInUseError, Broker, BrokerError, BrokerOptions, DataDirectoryError, DataDirectoryLockedError
from broker.protocol.api_keys import ApiKey
from tests.broker.waits import wait_for

ROOT = Path(__file__).resolve().parents[2]


def topics(broker: Broker) -> list[str]:
    return sorted(AdminClient({"bootstrap.servers": broker.bootstrap_servers}).list_topics(timeout=10).topics)


def make_topic(broker: Broker, name: str) -> None:
    client = Producer({"bootstrap.servers": broker.bootstrap_servers})
    client.produce(name, b"v")
    assert client.flush(10) == 0


@pytest.mark.parametrize("in_process", [False, True])
def test_broker_leaves_nothing_behind(in_process: bool) -> None:
    threads = set(threading.enumerate())
    with Broker(in_process=in_process) as broker:
        data = broker.data
        assert data is not None
        assert data.exists()
        process = broker.process
        make_topic(broker, "t")
        assert topics(broker) == ["t"]
    assert not data.exists()
    assert process is None or process.returncode == 0
    # librdkafka's threads are none of the interpreter's
    assert {thread for thread in threading.enumerate() if thread.name.startswith("broker")} <= threads
    with pytest.raises(BrokerError, match="not running"):
        _ = broker.bootstrap_servers


def test_ready_means_ready() -> None:
    """A connection made at once is accepted; and it does not take long (0.2 s on an idle machine): the time is that of
    the process itself, whatever else the machine has to do."""
    best = 60.0
    for _ in range(3):
        with Broker() as broker:
            assert broker.process is not None
            spent = psutil.Process(broker.process.pid).cpu_times()
            best = min(best, spent.user + spent.system)
            socket.create_connection((broker.host, broker.port), timeout=1).close()
    assert best < 0.7


def test_data_survives_a_restart_on_the_same_port(tmp_path: Path) -> None:
    with Broker(data=tmp_path / "data") as broker:
        address = broker.bootstrap_servers
        make_topic(broker, "t")
        broker.restart()
        assert broker.bootstrap_servers == address
        assert topics(broker) == ["t"]
        broker.kill()
        broker.restart()
        assert topics(broker) == ["t"]
    assert (tmp_path / "data" / "clean-shutdown").exists()


def test_kill_is_for_processes_only() -> None:
    with Broker(in_process=True) as broker, pytest.raises(BrokerError, match="in_process=False"):
        broker.kill()


def test_start_twice_is_refused() -> None:
    with Broker() as broker, pytest.raises(BrokerError, match="running already"):
        broker.start()


def test_options_are_no_secret_for_those_who_list_processes() -> None:
    """They may hold passwords, and command lines are for everybody to read."""
    with Broker(topic_defaults={"retention.ms": "4242"}) as broker:
        assert broker.process is not None
        assert "4242" not in " ".join(psutil.Process(broker.process.pid).cmdline())


def test_config_takes_any_setting_by_its_name_or_kafkas(tmp_path: Path) -> None:
    config = {"num.partitions": 3, "log.retention.ms": "5", "group_max_size": 7}
    broker = Broker(data=tmp_path, config=config)
    assert broker.options == BrokerOptions(
        data=tmp_path, default_partitions=3, topic_defaults={"retention.ms": "5"}, group_max_size=7
    )
    based = Broker(options=BrokerOptions(default_partitions=2, port=5), config={"num.partitions": 4})
    assert (based.options.default_partitions, based.options.port) == (4, 5)
    with pytest.raises(BrokerError, match=r"Broker\(config=…\): num.partitons: .* did you mean num.partitions"):
        Broker(config={"num.partitons": 3})


def test_order_to_a_broker_that_died_says_so() -> None:
    with Broker() as broker:
        assert broker.process is not None
        broker.process.kill()
        broker.process.wait()
        with pytest.raises(BrokerError, match="has died"):
            broker.kill_connections()


# -- refusals ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("in_process", [False, True])
def test_port_in_use_is_named(in_process: bool) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressInUseError, match=rf"127\.0\.0\.1:{port} is in use by another program; choose"):
            Broker(port=port, in_process=in_process).start()


def test_data_directory_in_use_is_named(tmp_path: Path) -> None:
    with Broker(data=tmp_path / "data") as broker:
        assert broker.process is not None
        with pytest.raises(DataDirectoryLockedError, match=f"in use by another broker .process {broker.process.pid}"):
            Broker(data=tmp_path / "data").start()
        assert topics(broker) == []


def test_foreign_data_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DataDirectoryError, match=r"thesis\.txt"):
        Broker(data=tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match=r"cannot use data directory .*file/data"):
        Broker(data=tmp_path / "file" / "data").start()


def test_newer_data_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broker.json").write_text(json.dumps({"format": 99, "cluster_id": "x"}))
    with pytest.raises(DataDirectoryError, match="has data format 99"):
        Broker(data=tmp_path).start()


def test_unresolvable_host_is_named() -> None:
    with pytest.raises(BrokerError, match=r"cannot listen on no\.such\.host\.invalid"):
        Broker(host="no.such.host.invalid").start()


# -- processes ---------------------------------------------------------------------------------------------------------
def test_broker_ends_with_its_parent(tmp_path: Path) -> None:
    """However the parent ends; temporary data goes too."""
    program = (
        "import sys, time\n"
        "from broker import Broker\n"
        "broker = Broker(); broker.start()\n"
        "print(broker.process.pid, broker.data, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert parent.stdout is not None
    pid, data = parent.stdout.readline().split()
    assert Path(data).exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == "zombie", "the end")
    wait_for(lambda: not Path(data).exists(), "the data's removal")


def test_module_serves_until_sigterm_and_shuts_down_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "broker", "--data", str(tmp_path / "data"), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("broker ready at 127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert (tmp_path / "data" / "clean-shutdown").exists()


def test_module_says_in_one_line_why_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    command = [sys.executable, "-m", "broker", "--data", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20, check=False)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert found.stderr.startswith(f"broker: {tmp_path} is not a data directory of this broker")


def test_what_clients_may_never_ask_for_is_not_imported_at_the_start(tmp_path: Path) -> None:
    """No schemas of APIs (importing all of kio's takes 0.7 s), no handlers but the one that every connection needs, no
    kind of group, and few packages otherwise."""
    program = (
        "import asyncio, json, sys\n"
        "sys.modules['hypothesis'] = None\n"
        "from pathlib import Path\n"
        "from broker import BrokerOptions\n"
        "from broker.serving import Running\n"
        "running = Running(BrokerOptions(data=Path(sys.argv[1])), lambda host, port: running.stop())\n"
        "running.run(alone=True, signals=False)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=True,
    )
    modules: list[str] = json.loads(found.stdout)
    versions = [name.split(".")[2] for name in modules if name.startswith("kio.schema.") and name.count(".") > 2]
    assert set(versions) <= {"request_header", "response_header"}
    assert [name for name in modules if name.removeprefix("broker.handlers.").upper() in ApiKey.__members__] == [
        "broker.handlers.api_versions"
    ]
    heavy = ("confluent_kafka", "pydantic", "click", "rich", "cramjam", "streams", "stores")
    assert [name for name in modules if name.split(".")[0] in (*heavy, "prometheus_client", "argparse")] == []
    unused = (
        "msgspec",
        "broker.groups.classic",
        "broker.consumer_groups.membership",
        "broker.control",
        "broker.faults",
        "broker.metrics",
        "broker.settings",
        "broker.watch",
        "kio.index",
    )
    assert [name for name in (*unused, "importlib.metadata") if name in modules] == []


def test_options_are_passed_to_the_process() -> None:
    options = BrokerOptions(default_partitions=4, topic_defaults={"retention.ms": "5"}, auto_create_topics=True)
    with Broker(options=options) as broker:
        make_topic(broker, "t")
        listed = AdminClient({"bootstrap.servers": broker.bootstrap_servers}).list_topics(timeout=10)
        assert len(listed.topics["t"].partitions) == 4
