"""Where the broker's settings come from, and what is refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from broker import BrokerOptions, Listener, OAuth, Sasl, Tls
from broker.settings import Given, Resolved, SettingError, resolve, settings
from broker.settings.given import from_assignments, from_environment, from_properties, from_table
from broker.settings.kafka_properties import IGNORED, OTHERWISE, UNITS, settings_by_kafka_name, why_ignored


def given(**values: object) -> list[Given]:
    return [Given(name, value, settings()[name].flag) for name, value in values.items()]


def properties(tmp_path: Path, text: str) -> list[Given]:
    file = tmp_path / "server.properties"
    file.write_text(text)
    return list(from_properties(file))


def test_every_option_is_a_setting_with_a_text() -> None:
    """A field that is added to BrokerOptions appears by itself; without its docstring nobody would know what it is."""
    assert list(dict.fromkeys(name.partition(".")[0] for name in settings())) == [
        field.name for field in fields(BrokerOptions)
    ]
    for part, described in {"tls.": Tls, "sasl.": Sasl, "sasl.oauth.": OAuth}.items():
        assert {f"{part}{field.name}" for field in fields(described)} <= {*settings(), "sasl.oauth"}
    assert [setting.name for setting in settings().values() if not setting.doc] == []


def test_kafka_names_come_from_the_texts() -> None:
    names = settings_by_kafka_name()
    assert names["num.partitions"] == "default_partitions"
    assert names["auto.create.topics.enable"] == "auto_create_topics"
    assert names["group.initial.rebalance.delay.ms"] == "group_initial_rebalance_delay_ms"


def test_strongest_place_counts_setting_by_setting() -> None:
    found = resolve(
        [
            given(port="1"),
            from_environment({"HEADRACE_BROKER_PORT": "2", "HEADRACE_BROKER_HOST": "::1", "OTHER": "x"}),
            from_table({"port": 3, "host": "h", "fsync": "always"}, Path("/etc/headrace.toml")),
        ],
        {"port": 9092, "data": Path("d")},
    )
    assert (found.options.port, found.options.host, found.options.fsync) == (1, "::1", "always")
    assert found.options.data == Path("d")
    assert found.places == {"port": "--port", "host": "HEADRACE_BROKER_HOST", "fsync": "/etc/headrace.toml"}
    lines = {origin.name: (origin.value, origin.place) for origin in found.origins()}
    assert lines["port"] == ("1", "--port")
    assert lines["default_partitions"] == ("1", "default")


def test_kafka_names_are_taken_in_every_place(tmp_path: Path) -> None:
    found = resolve(
        [
            from_assignments(["num.partitions=4"]),
            from_environment({"HEADRACE_BROKER_LOG_RETENTION_MS": "5", "HEADRACE_BROKER_NUM_PARTITIONS": "9"}),
            properties(tmp_path, "message.max.bytes=2000\nlog.retention.ms=7\n"),
            from_table(
                {"group": {"max": {"size": 3}}, "log": {"cleanup": {"policy": ["compact", "delete"]}}}, tmp_path
            ),
        ]
    )
    options = found.options
    assert (options.default_partitions, options.group_max_size) == (4, 3)
    assert options.topic_defaults == {
        "cleanup.policy": "compact,delete",
        "max.message.bytes": "2000",
        "retention.ms": "5",
    }
    assert found.places["topic_defaults.retention.ms"] == "HEADRACE_BROKER_LOG_RETENTION_MS"
    assert found.places["topic_defaults.max.message.bytes"].endswith("server.properties:1")


def test_authorizer_is_set_as_in_kafka(tmp_path: Path) -> None:
    kafkas = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    text = f"authorizer.class.name={kafkas}\nsuper.users=User:a;User:CN=b,O=c\nallow.everyone.if.no.acl.found=true\n"
    options = resolve([properties(tmp_path, text)]).options
    assert (options.authorizer, options.allow_everyone_if_no_acl_found) == (True, True)
    assert options.super_users == ("User:a", "User:CN=b,O=c")
    assert not resolve([properties(tmp_path, "authorizer.class.name=\n")]).options.authorizer
    with pytest.raises(SettingError, match=f"server.properties:1.*expected {kafkas}"):
        resolve([properties(tmp_path, "authorizer.class.name=com.example.Mine\n")])


def test_topic_defaults_as_a_table_or_a_text_come_together() -> None:
    table = {"topic_defaults": {"retention": {"ms": 1}, "segment.bytes": 1000}}
    found = resolve([from_assignments(["topic_defaults=retention.ms=2"]), from_table(table, Path("f"))])
    assert found.options.topic_defaults == {"retention.ms": "2", "segment.bytes": "1000"}


def test_finer_unit_counts_within_a_place_and_the_stronger_place_before_all(tmp_path: Path) -> None:
    same = properties(tmp_path, "log.retention.ms=5\nlog.retention.hours=1\n")
    assert resolve([same]).options.topic_defaults == {"retention.ms": "5"}
    assert resolve([from_assignments(["log.retention.hours=2"]), same]).options.topic_defaults == {
        "retention.ms": "7200000"
    }
    assert resolve([from_assignments(["log.retention.hours=-1"])]).options.topic_defaults == {"retention.ms": "-1"}


def test_kafkas_own_file_is_taken_with_notes(tmp_path: Path) -> None:
    """The properties of the server.properties that comes with Kafka 4, in its order."""
    text = """
        # KRaft
        process.roles=broker,controller
        node.id=1
        controller.quorum.bootstrap.servers=localhost:9093
        listeners=PLAINTEXT://:19092,CONTROLLER://:9093
        inter.broker.listener.name=PLAINTEXT
        advertised.listeners=PLAINTEXT://kafka.local:29092,CONTROLLER://localhost:9093
        controller.listener.names=CONTROLLER
        listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
        num.network.threads=3
        num.io.threads=8
        socket.send.buffer.bytes=102400
        socket.receive.buffer.bytes=102400
        socket.request.max.bytes=104857600
        log.dirs=/tmp/kraft-combined-logs
        num.partitions=1
        num.recovery.threads.per.data.dir=1
        offsets.topic.replication.factor=1
        transaction.state.log.min.isr=1
        log.retention.hours=168
        log.segment.bytes=1073741824
        log.retention.check.interval.ms=300000
    """
    found = resolve([properties(tmp_path, text)])
    options = found.options
    plain = Listener(host="0.0.0.0", port=19092, advertised_host="kafka.local", advertised_port=29092)
    assert (options.listeners, options.data) == ((plain,), Path("/tmp/kraft-combined-logs"))
    assert options.topic_defaults == {"retention.ms": "604800000", "segment.bytes": "1073741824"}
    assert options.node_id == 1
    assert len(found.notes) == 11
    assert "process.roles" in found.notes[0]
    assert "does nothing here: there is one node" in found.notes[0]


def test_paths_in_a_settings_file_are_relative_to_it() -> None:
    found = resolve([from_table({"data": "log"}, Path("/srv/app/headrace.toml"))])
    assert found.options.data == Path("/srv/app/log")


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        (given(port="70000"), "--port: '70000' does not fit; expected a whole number from 0 to 65535"),
        (given(port=True), "--port: True does not fit"),
        (given(fsync="sometimes"), "--fsync: 'sometimes' does not fit; expected always or never"),
        (given(auto_create_topics="perhaps"), "expected true or false"),
        (given(cleaner_backoff_ms="-1"), "at least 0"),
        (list(from_environment({"HEADRACE_BROKER_PROT": "1"})), "HEADRACE_BROKER_PROT: there is no such setting; did "
         "you mean HEADRACE_BROKER_PORT?"),
        (list(from_assignments(["log.retension.ms=1"])), "--set: log.retension.ms: there is no such setting; did you "
         "mean log.retention.ms?"),
        (list(from_assignments(["cleanup.policy=shred"])), "Invalid value shred for configuration cleanup.policy"),
        (list(from_assignments(["log.retention.hours=x"])), "'x' does not fit"),
        (list(from_assignments(["listeners=SASL_SSL:a:1"])), "--set: listeners: 'SASL_SSL:a:1' does not fit; expected "
         "PROTOCOL://HOST:PORT or NAME://HOST:PORT"),
        (list(from_assignments(["log.dirs=a,b"])), "expected one directory"),
        (list(from_table({"topic_defaults": {"retention.mss": 1}}, Path("h.toml"))), "there is no topic config "
         "'retention.mss'; did you mean retention.ms?"),
    ],
)  # fmt: skip
def test_setting_that_is_none_is_named_with_place_and_cure(place: list[Given], problem: str) -> None:
    with pytest.raises(SettingError) as raised:
        resolve([place])
    assert problem in str(raised.value)


@pytest.mark.parametrize("name", ["ssl.keystore.location", "sasl.enabled.mechanisms", "authorizer.class.name"])
def test_security_is_never_dropped_in_silence(name: str) -> None:
    """It is a setting, or it is refused."""
    assert why_ignored(name) is None


def test_no_name_is_both_known_and_ignored() -> None:
    patterns = {pattern for patterns in IGNORED.values() for pattern in patterns}
    assert not patterns & {*settings(), *settings_by_kafka_name(), *UNITS, *OTHERWISE}


def test_assignment_without_a_value_is_refused() -> None:
    with pytest.raises(SettingError, match="expected NAME=VALUE"):
        list(from_assignments(["port"]))


def test_properties_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot read .*none\.properties"):
        list(from_properties(tmp_path / "none.properties"))


def test_secret_is_never_shown() -> None:
    """A field with repr=False is stars in listings and in messages, but for the path of a file."""
    given = [Given("tls.key_password", "hunter2", "f"), Given("tls.certificate", "c.pem", "f")]
    shown = {origin.name: origin.value for origin in resolve([given]).origins()}
    assert (shown["tls.key_password"], shown["tls.certificate"]) == ("***", "c.pem")
    with pytest.raises(SettingError) as raised:
        resolve([[Given("tls.key_password", ["hunter2"], "f")]])
    assert "hunter2" not in str(raised.value)
    with pytest.raises(SettingError) as raised:
        resolve([[Given("sasl.users", "hunter2", "f")]])
    assert "f: sasl.users: *** does not fit" in str(raised.value)


def test_values_of_all_types_survive_the_way_through_text() -> None:
    """What `--show-settings` prints can be given back."""
    values: dict[str, Any] = {
        "data": Path("d"), "fsync": "always", "auto_create_topics": False, "schema_registry_port": 5,
        "faults": ("Fetch:close",), "topic_defaults": {"retention.ms": "5", "segment.ms": "6"},
    }  # fmt: skip
    options = BrokerOptions(**values)
    shown = Resolved(options=options, places={}, notes=()).origins()
    texts = [Given(one.name, one.value, "text") for one in shown if one.value or one.name != "tls.certificate"]
    assert resolve([texts]).options == options
