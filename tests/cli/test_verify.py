"""`headrace broker verify`."""

from __future__ import annotations

import json
from pathlib import Path

from confluent_kafka import Producer

from broker import Broker
from tests.cli.conftest import Headrace


def written(path: Path) -> Path:
    with Broker(data=path) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        producer.produce("t", "v")
        assert producer.flush(10) == 0
    return path


def test_verify_tells_what_is_sound_and_what_is_not(headrace: Headrace, tmp_path: Path) -> None:
    data = written(tmp_path / "data")
    done = headrace("broker", "verify", str(data))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split("\t")[0] == "t-0"
    assert "no damaged places" in done.stderr
    path = data / "logs" / "t-0" / f"{0:020}.log"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    done = headrace("broker", "verify", str(data))
    assert done.exit_code == 1
    assert f"lost: {path} at 0: " in done.stdout
    assert "1 damaged place" in done.stderr
    done = headrace("broker", "verify", "--json", str(data))
    assert done.exit_code == 1
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line["partition"] == "t-0"
    assert [(one["severity"], one["file"], one["position"]) for one in line["findings"]] == [("lost", str(path), 0)]


def test_verify_of_a_directory_in_use_or_of_something_else_is_refused(headrace: Headrace, tmp_path: Path) -> None:
    with Broker(data=tmp_path / "data"):
        done = headrace("broker", "verify", str(tmp_path / "data"))
        assert (done.exit_code, done.stdout) == (1, "")
        assert "in use by another broker" in done.stderr
    done = headrace("broker", "verify", str(tmp_path))
    assert done.exit_code == 1
    assert "not a data directory" in done.stderr
