"""The site: who gets its files, and what they are."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from streams.dashboard.site import WEB, site_files
from streams.errors import ConfigError
from streams.runtime.options import WorkerOptions
from tests.streams.query.shop import Group, ask

IMPORT = re.compile(r"(?:^(?:import|export)\b[^;()=\"]*|\bimport\()\"([^\"]+)\"", re.MULTILINE)


def test_worker_with_web_serves_the_site(group: Group) -> None:
    worker = group.worker(web=True)
    page = ask(worker, "/ui/")
    assert page.status == 200
    assert "script-src 'self' 'sha256-" in page.headers["content-security-policy"]
    script = ask(worker, "/ui/js/main.js")
    assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert ask(worker, "/ui/js/main.js", if_none_match=script.headers["etag"]).status == 304
    assert ask(worker, "/ui").body == page.body  # by way of a redirect
    assert ask(worker, "/ui/nothing.js").status == 404
    assert ask(worker, "/ui/../site.py").status == 404
    assert ask(worker, "/ui/%2e%2e/site.py").status == 404


def test_worker_without_web_says_how_to_switch_it_on(group: Group) -> None:
    worker = group.worker()
    for path in ("/ui", "/ui/"):
        assert (ask(worker, path).status, "--web" in ask(worker, path).body) == (404, True)
    assert ask(worker, "/dashboard/live").status == 404


def test_site_needs_no_token_and_tells_nothing_while_its_data_do(group: Group) -> None:
    worker = group.worker(web=True, query_token="secret")
    assert ask(worker, "/ui/").status == 200
    assert not any(b"shop" in file.body for file in site_files().values())
    refused = ask(worker, "/dashboard/live")
    assert (refused.status, refused.body["reason"]) == (401, "unauthorized")


def test_site_of_another_host_name_is_refused(group: Group) -> None:
    """A web page that has its own name resolve to this machine gets nothing, not even the site."""
    worker = group.worker(web=True)
    assert ask(worker, "/ui/", host="evil.example").status == 421


def test_scripts_import_only_what_is_there() -> None:
    """A missing file would be found by whoever opens the page that wants it."""
    files = site_files()
    known = json.loads(re.findall(rb"importmap\">(.*?)</script>", files["index.html"].body)[0])["imports"]
    assert all(target.removeprefix("./") in files for target in known.values())
    scripts = [name for name in files if name.startswith("js/")]
    assert len(scripts) > 20
    for name in scripts:
        for target in IMPORT.findall(files[name].body.decode()):
            if target.startswith("."):
                assert (WEB / name).parent.joinpath(target).resolve().is_file(), f"{name} imports {target}"
            else:
                assert target in known, f"{name} imports {target}"


def test_site_loads_nothing_from_elsewhere() -> None:
    """It works without a network."""
    ours = {name: file.body.decode() for name, file in site_files().items() if not name.startswith("vendor/")}
    found = {name: re.findall(r"https?://(?!www\.w3\.org/)[^\s\"'`)]+", text) for name, text in ours.items()}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}


def test_vendored_files_are_named_in_their_notice() -> None:
    """Whoever adds a library adds its licence."""
    vendor = WEB / "vendor"
    notice = (vendor / "NOTICE").read_text()
    assert all(f"{path.name} " in notice for path in vendor.iterdir() if path.name != "NOTICE")


def options(**chosen: object) -> WorkerOptions:
    return WorkerOptions(application_id="shop", bootstrap_servers="b:1", state_dir=Path(), **chosen)  # type: ignore[arg-type]


def test_web_without_a_query_server_is_a_config_error_with_its_cure() -> None:
    with pytest.raises(ConfigError, match=r"query_port=None.*give it a port, or 0 for a free one"):
        options(web=True, query_port=None)
    with pytest.raises(ConfigError, match="switch it on with web=True"):
        options(web_port=8642)


def test_web_port_is_shared_by_the_workers_of_a_host(group: Group) -> None:
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        for _ in range(2):
            group.worker(web=True, web_port=port)
    assert ask(Shared(port), "/ui/").status == 200


def test_web_port_in_use_is_a_config_error_and_leaves_nothing_open(group: Group) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"the dashboard cannot listen on 127.0.0.1:{port}.*another port \(web_port\)"
        ) as raised:
            group.worker(web=True, web_port=port)
    assert raised.value.setting == "web_port"


class Shared:
    """Whoever answers at a port."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"127.0.0.1:{port}"
