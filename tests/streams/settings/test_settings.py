"""The settings model and the places it reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from streams import App
from streams.discovery import BrokerLocation, locate_broker
from streams.errors import ConfigError
from streams.settings import without_security


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_settings_in_pyproject_count_where_no_headrace_toml_is_nearer(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest directory that says something; a pyproject.toml without our table is passed over."""
    (project / "pyproject.toml").write_text("[tool.headrace]\ncommit_interval = 3\n")
    below = project / "jobs"
    below.mkdir()
    (below / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    monkeypatch.chdir(below)
    assert App("a").settings.commit_interval == timedelta(seconds=3)
    (below / "headrace.toml").write_text("commit_interval = 4\n")
    assert App("a").settings.commit_interval == timedelta(seconds=4)


def test_settings_file_named_by_the_environment_has_to_exist(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads nowhere is a mistake, not a default."""
    monkeypatch.setenv("HEADRACE_CONFIG", "elsewhere.toml")
    with pytest.raises(ConfigError, match=r"HEADRACE_CONFIG names 'elsewhere.toml', which is not a file"):
        App("a")
    Path("elsewhere.toml").write_text('emit_updates = "commit"\n')
    assert App("a").settings.emit_updates == "commit"


def test_settings_file_that_was_saved_again_counts_as_it_is_then(project: Path) -> None:
    """What is kept of a file that was read before is neither out of date nor what applications have made of it."""
    file = project / "headrace.toml"
    file.write_text("[client_config.linger]\nms = 1\n")
    App("a").settings.client_config["acks"] = "1"
    assert App("a").settings.client_config == {"linger.ms": 1}
    file.write_text("[client_config.linger]\nms = 2\n")
    assert App("a").settings.client_config == {"linger.ms": 2}


def test_settings_in_the_environment_count_whatever_the_case_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Headrace_commit_interval", "3")
    assert App("a").settings.commit_interval == timedelta(seconds=3)


def test_settings_file_with_an_unknown_name_says_what_was_meant(project: Path) -> None:
    """With the file's path."""
    (project / "headrace.toml").write_text("comit_interval = 3\n")
    with pytest.raises(
        ConfigError, match=r"headrace\.toml: there is no setting 'comit_interval'; did you mean 'commit_i"
    ):
        App("a")


def test_settings_file_with_an_application_id_is_refused(project: Path) -> None:
    """Two applications of one project must not share a group by accident."""
    (project / "headrace.toml").write_text('application_id = "x"\n')
    with pytest.raises(ConfigError, match="the first argument of App"):
        App("a")


def test_settings_malformed_in_the_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the message may not know that the variable is set."""
    monkeypatch.setenv("HEADRACE_COMMIT_INTERVAL", "soon")
    with pytest.raises(ConfigError, match=r"not a duration.*\(from HEADRACE_COMMIT_INTERVAL\)"):
        App("a")


def test_settings_unknown_argument_says_what_was_meant() -> None:
    with pytest.raises(ConfigError, match="there is no setting 'comit_interval'; did you mean 'commit_interval'"):
        App("a", comit_interval=3)


def test_settings_tags_are_read_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins as the variables of single properties do, and is none of them."""
    monkeypatch.setenv("HEADRACE_CLIENT_TAGS", "zone=eu-1a, cluster=blue")
    monkeypatch.setenv("HEADRACE_RACK_AWARE_ASSIGNMENT_TAGS", "zone,cluster")
    settings = App("a").settings
    assert settings.client_tags == {"zone": "eu-1a", "cluster": "blue"}
    assert settings.rack_aware_assignment_tags == ("zone", "cluster")
    assert settings.client_config == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"client_tags": "zone"}, "no list of tags: write them as zone=eu-1a,cluster=blue"),
        ({"client_tags": {"zone": "x" * 31}}, "values 1 to 30"),
        ({"client_tags": dict.fromkeys("abcdef", "x")}, "there are 6 tags, and 5 are allowed"),
        ({"rack_aware_assignment_tags": ["zone"]}, "'zone', which this worker does not say of itself"),
    ],
)
def test_settings_tags_that_nobody_could_use_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        App("a", **given)


def test_settings_shown_hide_secrets() -> None:
    """What is logged or printed by accident."""
    settings = App("a", client_config={"sasl.password": "abc", "sasl.username": "ann"}).settings
    assert "abc" not in repr(settings)
    registry = {"basic.auth.user.info": "ann:abc"}
    assert "abc" not in repr(App("a", schema_registry_config=registry).settings)
    assert "ann" in repr(settings)


def test_settings_with_a_property_of_the_java_client_names_ours() -> None:
    with pytest.raises(ConfigError, match=r"sasl\.jaas\.config is a property of the Java client"):
        App("a", client_config={"sasl.jaas.config": "x"})


def test_locate_broker_with_a_settings_file_takes_it_after_the_environment(project: Path) -> None:
    """Arguments, environment, file."""
    (project / "headrace.toml").write_text('bootstrap_servers = "kafka:1"\n')
    found = locate_broker(environ={}, start=project)
    assert (found.bootstrap_servers, found.origin, found.describe()) == (
        "kafka:1",
        "file",
        f"from {project / 'headrace.toml'}",
    )
    assert locate_broker(environ={"HEADRACE_BOOTSTRAP_SERVERS": "other:1"}, start=project).origin == "environment"


def test_worker_on_the_bundled_broker_leaves_security_out(project: Path) -> None:
    """The same settings serve a cluster with TLS and the broker of `headrace dev`."""
    properties = {"security.protocol": "ssl", "ssl.ca.location": "ca.pem", "sasl.username": "ann", "client.rack": "a"}
    assert without_security(properties) == {"client.rack": "a"}
    assert BrokerLocation.bundled("b:1").client_properties(properties) == {"client.rack": "a"}


def test_worker_on_a_secured_bundled_broker_speaks_the_protocol_it_has_named(project: Path) -> None:
    """Who the client is comes from its settings."""
    properties = {"security.protocol": "ssl", "sasl.username": "ann"}
    assert BrokerLocation.bundled("b:1", "SASL_SSL").client_properties(properties) == {
        "security.protocol": "sasl_ssl",
        "sasl.username": "ann",
    }
    elsewhere = BrokerLocation(bootstrap_servers="b:1", origin="argument")
    assert elsewhere.client_properties(properties) == properties
