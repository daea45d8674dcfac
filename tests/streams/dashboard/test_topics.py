"""Topics, their records and new ones, groups and dead letters, asked of a worker on a cluster."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from streams.cluster.admin import Admin
from streams.cluster.beginning import Beginning
from streams.cluster.errors import ClusterError
from streams.dashboard.record_view import RecordView
from streams.dashboard.tails import TAILS, TailRequest
from tests.cluster import empty_cluster
from tests.streams.dashboard.on_cluster import DEAD, Site, commit, letter_headers, make_topics, read, write
from tests.streams.query.shop import COUNTS, Group, shop
from tests.streams.runtime.bench import until

ORDER = b'{"user": 1, "amount": 2.5, "note": "more than is declared"}'


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    with empty_cluster() as cluster:
        servers = cluster.bootstrap_servers
        make_topics(
            servers, orders=2, clicks=1, busy=1, lately=1, again=2, shop_users_changelog=1, orders_dead=1, forged=1
        )
        yield servers


@pytest.fixture(scope="module")
def site(servers: str) -> Iterator[Site]:
    with Group(shop(), COUNTS) as group:
        yield Site(group, servers, dead_letter_topic=DEAD)


def test_topics_are_listed_with_what_they_are_for(site: Site) -> None:
    write(site.servers, "lately", *[(b"k", b"v")] * 3)
    answer = site.get("topics")
    listed = {topic["name"]: topic for topic in answer.body["topics"]}
    assert answer.body["read_only"] is None
    assert (listed["orders"]["role"], listed["orders"]["internal"]) == ("source", False)
    assert (listed["orders"]["partitions"], listed["orders"]["replication"]) == (2, 1)
    changelog = listed["shop-users-changelog"]
    assert (changelog["role"], changelog["store"], changelog["internal"]) == ("changelog", "users", True)
    assert listed[DEAD]["role"] == "dead letters"
    assert (listed["lately"]["role"], listed["lately"]["records"]) == (None, 3)
    assert listed["lately"]["bytes"] > 0


def test_topic_tells_partitions_settings_and_types(site: Site) -> None:
    write(site.servers, "clicks", (b"k", b"v"))
    told = site.get("topics/clicks").body
    [partition] = told["partitions"]
    assert partition["end"] - partition["first"] >= 1
    assert str(partition["leader"]) in told["brokers"]
    configs = {config["name"]: config for config in told["configs"]}
    assert configs["retention.ms"]["own"] is False
    orders = site.get("topics/orders").body
    assert (orders["key"], orders["value"]) == ("String", "Json(Order)")
    assert json.loads(orders["value_example"]) == {"user": 0, "amount": 0.0}


def test_topic_whose_settings_may_not_be_seen_is_told_without_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """To describe configs is a permission of its own."""

    def refused(admin: Admin, topic: str) -> None:
        raise ClusterError(f"{topic}: Broker: Topic authorization failed")

    monkeypatch.setattr(Admin, "topic_configs", refused)
    told = site.get("topics/orders")
    assert (told.status, told.body["configs"], len(told.body["partitions"])) == (200, None, 2)


@pytest.mark.parametrize("path", ["topics/nothing", "topics/nothing/tail", "dead-letters?topic=nothing"])
def test_topic_that_is_not_there_is_404_with_its_name(site: Site, path: str) -> None:
    answer = site.get(path)
    assert (answer.status, answer.body["reason"]) == (404, "unknown-topic")
    assert "'nothing'" in answer.body["detail"]
    assert "nothing" not in [topic["name"] for topic in site.get("topics").body["topics"]]  # asking does not make it


def test_tail_shows_what_is_there_then_what_comes_by_the_topic_s_types(site: Site) -> None:
    write(site.servers, "orders", ("ann", ORDER, 1_000, 0), ("bob", b"garbage", 2_000, 0), headers=[("trace", b"t-1")])
    with site.events("topics/orders/tail?from=last:2&partition=0") as events:
        first, second = events.records(2)
        write(site.servers, "orders", ("cyd", None, 3_000, 0), ("eve", ORDER, 4_000, 1))
        [third] = events.records(1)
    assert (first["timestamp"], first["headers"]) == (1_000, [["trace", "t-1"]])
    assert first["key"] == {"form": "String", "text": "ann"}
    assert first["value"] == {"form": "Json(Order)", "text": ORDER.decode()}
    assert second["value"]["form"] == "text"
    assert "not Json(Order)" in second["value"]["wrong"]
    assert (third["key"]["text"], third["value"]["form"], third["partition"]) == ("cyd", "null", 0)


def test_tail_shows_only_what_fits_and_counts_the_rest(site: Site) -> None:
    rows = [(f"k{number}", json.dumps({"n": number}).encode()) for number in range(20)]
    write(site.servers, "again", *rows, ("odd", b"no json"))
    with site.events(
        "topics/again/tail?from=beginning&where=F.n%20%3E%2015%20and%20F.n%20%25%202%20%3D%3D%200"
    ) as events:
        batch = events.until_live()
    assert sorted(record["key"]["text"] for record in batch["records"]) == ["k16", "k18"]
    assert (batch["read"], batch["shown"], batch["failed"], batch["dropped"]) == (21, 2, 1, 0)
    with site.events("topics/again/tail?from=beginning&text=K7") as events:
        assert [record["key"]["text"] for record in events.until_live()["records"]] == ["k7"]


def test_tail_reads_all_that_is_there_without_leaving_anything_out(site: Site) -> None:
    write(site.servers, "busy", *[(None, b"%d" % number) for number in range(180)])
    with site.events("topics/busy/tail?from=beginning") as events:
        batch = events.until_live()
    assert [int(record["value"]["text"]) for record in batch["records"]] == list(range(180))
    assert batch["dropped"] == 0


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("where=F.amount%20%3E", "is no expression"),
        ("from=last:x", "last:50"),
        ("from=last:10001", "up to 10000"),
        (f"from=offset:{'9' * 5000}", "offset:50"),
        (f"from={'9' * 25}", "is no time"),
        ("where=F" + ".a" * 245, "nested too deep"),
        ("from=whenever", "is no time"),
        ("partition=7", "no partition 7, it has 2"),
    ],
)
def test_tail_that_cannot_be_is_refused_with_the_reason(site: Site, query: str, told: str) -> None:
    answer = site.get(f"topics/orders/tail?{query}")
    assert answer.status == 400
    assert told in answer.body["detail"]


def test_record_by_itself_is_whole(site: Site) -> None:
    write(site.servers, "clicks", (b"k", b"x" * 5_000))
    with site.events("topics/clicks/tail?from=last:1") as events:
        [record] = events.records(1)
    assert (len(record["value"]["text"]), record["value"]["cut"]) == (2_000, 3_000)
    whole = site.get(f"topics/clicks/records/0/{record['offset']}").body
    assert len(whole["value"]["text"]) == 5_000
    beyond = site.get(f"topics/clicks/records/0/{record['offset'] + 1}")
    assert (beyond.status, beyond.body["reason"]) == (404, "absent")


def test_produced_record_is_on_the_topic_as_it_was_typed(site: Site) -> None:
    body = {
        "key": "zoe",
        "value": ORDER.decode(),
        "headers": [["trace", "t-9"], ["none", None]],
        "partition": 1,
        "timestamp": "1970-01-01T00:00:07Z",
    }
    place = site.post("topics/orders/records", body)
    assert place.status == 200, place.body
    record = read(site.servers, "orders", 1, place.body["offset"])
    assert (record.key(), record.value(), record.timestamp()[1]) == (b"zoe", ORDER, 7_000)
    assert record.headers() == [("trace", b"t-9"), ("none", None)]
    body = {"key": "zoe", "value": None, "partition": 1, "timestamp": 0}
    tombstone = read(site.servers, "orders", 1, site.post("topics/orders/records", body).body["offset"])
    assert (tombstone.value(), tombstone.timestamp()[1]) == (None, 1), "0 is not the present time"


@pytest.mark.parametrize(
    ("topic", "body", "field", "told"),
    [
        ("orders", {"value": '{"user": "one", "amount": 1}'}, "value", "$.user"),
        ("orders", {"value": "{"}, "value", "Json(Order)"),
        ("orders", {"value": None, "partition": 9}, "partition", "0 to 1"),
        ("orders", {"value": None, "timestamp": "soon"}, "timestamp", "'soon'"),
        ("orders", {"value": None, "headers": [["", "x"]]}, "headers", "name"),
        ("orders", {"value": 7}, "value", "Expected `str | null`"),
        ("shop-users-changelog", {"key": "1", "value": None}, "topic", "changelog topic of this application"),
    ],
)
def test_record_that_is_wrong_is_refused_naming_the_field(
    site: Site, topic: str, body: Any, field: str, told: str
) -> None:
    answer = site.post(f"topics/{topic}/records", body)
    assert (answer.status, answer.body.get("field")) == (422, field)
    assert told in answer.body["detail"]


@pytest.mark.parametrize("name", ["%00", "a%00b", "%20", "x" * 300, "%F0%9F%98%80"])
def test_name_that_no_topic_can_have_is_that_of_an_unknown_topic(site: Site, name: str) -> None:
    answers = [
        site.get(path)
        for path in (
            f"topics/{name}",
            f"topics/{name}/tail",
            f"topics/{name}/records/0/0",
            f"dead-letters?topic={name}",
            f"dead-letters/{name}/0/0",
        )
    ]
    answers.append(site.post(f"topics/{name}/records", {"value": None}))
    answers.append(site.post(f"dead-letters/{name}/resubmit", {"places": ["0:0"]}))
    assert {(answer.status, answer.body["reason"]) for answer in answers} == {(404, "unknown-topic")}


def test_writing_needs_our_own_page_and_json(site: Site) -> None:
    body = {"key": "a", "value": None}
    foreign = site.post("topics/orders/records", body, {"Content-Type": "application/json"})
    assert (foreign.status, foreign.body["reason"]) == (403, "foreign-page")
    form = site.post("topics/orders/records", body, {"X-Headrace-Dashboard": "1", "Content-Type": "text/plain"})
    assert (form.status, "application/json" in form.body["detail"]) == (400, True)
    binary = site.post("topics/orders/records", b'{"key": "\xff"}')
    assert (binary.status, "no JSON" in binary.body["detail"]) == (400, True)


def test_groups_are_listed_with_their_lag(site: Site) -> None:
    write(site.servers, "lately", *[(b"k", b"v")] * 5)
    commit(site.servers, "mailer", "lately", {0: 2})
    end = site.get("topics/lately").body["partitions"][0]["end"]
    listed = {group["group"]: group for group in site.get("groups").body["groups"]}
    assert (listed["mailer"]["state"], listed["mailer"]["members"], listed["mailer"]["lag"]) == ("empty", 0, end - 2)
    assert listed["mailer"]["own"] is False
    told = site.get("groups/mailer").body
    wanted = {"topic": "lately", "partition": 0, "committed": 2, "end": end, "lag": end - 2, "member": None}
    assert told["partitions"] == [wanted]
    missing = site.get("groups/nobody")
    assert (missing.status, missing.body["reason"]) == (404, "unknown-group")


def test_dead_letters_are_listed_shown_and_sent_again(site: Site) -> None:
    own = [("trace", b"t-3")]
    first = letter_headers("orders", 1, 17, "shop.UnknownItem", "no such item")
    second = letter_headers("orders", 0, 3, "builtins.KeyError", "'x'")
    write(site.servers, DEAD, ("ann", b"late", 5_000), headers=own + first)
    write(site.servers, DEAD, ("bob", ORDER, 6_000), headers=second)
    write(site.servers, DEAD, ("cyd", b"no letter", 7_000))
    listed = site.get("dead-letters").body
    assert (listed["topic"], listed["configured"]) == (DEAD, DEAD)
    assert [letter["key"]["text"] for letter in listed["letters"]] == ["cyd", "bob", "ann"]
    ann = listed["letters"][2]
    assert (ann["source"], ann["source_partition"], ann["source_offset"]) == ("orders", 1, 17)
    assert (ann["exception"], ann["message"]) == ("shop.UnknownItem", "no such item")
    whole = site.get(f"dead-letters/{DEAD}/0/{ann['offset']}").body
    assert (whole["headers"], whole["value"]["text"]) == ([["trace", "t-3"]], "late")
    assert whole["stacktrace"].startswith("Traceback")
    end = site.get("topics/orders").body["partitions"][1]["end"]
    sent = site.post(f"dead-letters/{DEAD}/resubmit", {"places": [f"0:{ann['offset']}"]})
    assert (sent.status, sent.body) == (200, {"sent": {"orders": 1}})
    record = read(site.servers, "orders", 1, end)
    assert (record.key(), record.value(), record.timestamp()[1], record.headers()) == (b"ann", b"late", 5_000, own)
    for places, told in (
        (["0:99"], "any more"),
        (["0:2"], "do not say where"),
        (["x"], "partition:offset"),
        ([], "choose"),
    ):
        refused = site.post(f"dead-letters/{DEAD}/resubmit", {"places": places})
        assert (refused.status, refused.body["field"]) == (422, "places")
        assert told in refused.body["detail"]


@pytest.mark.parametrize("source", ["shop-users-changelog", "again", "__consumer_offsets", "<b>&'"])
def test_letter_that_names_a_topic_the_application_does_not_read_is_not_sent_there(site: Site, source: str) -> None:
    """Whoever can write to the dead letters could else write wherever the worker can, into its changelogs too; not
    even the letters beside it are sent."""
    end = site.get("topics/forged").body["partitions"][0]["end"]
    for name in ("orders", source):
        write(site.servers, "forged", ("ann", ORDER, 1_000), headers=letter_headers(name, 0, 0, "E", "e"))
    goals = ("orders", "shop-users-changelog", "again")
    ends = [site.get(f"topics/{name}").body["partitions"] for name in goals]
    refused = site.post("dead-letters/forged/resubmit", {"places": [f"0:{end}", f"0:{end + 1}"]})
    assert (refused.status, refused.body["field"]) == (422, "places")
    assert f"the first at 0:{end + 1} from {source!r}" in refused.body["detail"]
    assert f"it reads {', '.join(COUNTS)}" in refused.body["detail"]
    assert "--source" in refused.body["detail"]
    assert [site.get(f"topics/{name}").body["partitions"] for name in goals] == ends


def test_letters_are_not_sent_again_before_the_application_s_topics_are_known(group: Group) -> None:
    site = Site(group, "127.0.0.1:1")
    site.worker.partitions = None
    answer = site.post("dead-letters/dead/resubmit", {"places": ["0:0"]})
    assert (answer.status, answer.body["reason"]) == (503, "starting")


def test_tails_end_with_their_watchers(site: Site) -> None:
    """Their consumers are closed: as many can be watched one after the other as wanted, but not at a time."""
    tails = site.worker.server._tails
    assert tails is not None
    until(lambda: tails.watched == 0, "the tails of other tests to end")
    watched = [site.events("topics/orders/tail?from=end") for _ in range(TAILS)]
    busy = site.get("topics/orders/tail?from=end")
    assert (busy.status, busy.body["reason"]) == (503, "busy")
    for events in watched:
        assert next(iter(events))[0] == "ready"
        events.__exit__()
    until(lambda: tails.watched == 0, "the tails to end")


def test_tail_ends_although_its_watcher_left_while_it_was_opened(site: Site) -> None:
    """Nobody reads it then: the server drops the answer before it begins."""
    tails = site.worker.server._tails
    assert tails is not None
    loop = site.worker.server._loop
    assert loop is not None
    until(lambda: tails.watched == 0, "the tails of other tests to end")
    request = TailRequest(topic="orders", begin=Beginning("end"), partition=None, text="", where="")

    async def leave() -> int:
        await tails.watch(request, RecordView(None))
        return tails.watched

    assert asyncio.run_coroutine_threadsafe(leave(), loop).result(30) == 1
    until(lambda: tails.watched == 0, "the tail to end")


def test_tail_is_ended_when_the_worker_stops(servers: str) -> None:
    """Else a restart would wait 2 s for everybody who looks, then cut them off."""
    with Group(shop(), COUNTS) as group:
        site = Site(group, servers)
        with site.events("topics/orders/tail?from=end") as events:
            told = iter(events)
            assert next(told)[0] == "ready"
            begin = time.monotonic()
            site.worker.server.stop()
            assert time.monotonic() - begin < 1.95
            assert all(name == "records" for name, _ in told)
