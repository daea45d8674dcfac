"""Topics, groups and dead letters in Chromium, on a cluster with records: what is shown, by keys, without a word on the
console."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from broker import Broker
from tests.streams.dashboard.looking import Looking, needs_chromium, playwright
from tests.streams.dashboard.on_cluster import DEAD, Site, commit, letter_headers, make_topics, read, write
from tests.streams.query.shop import COUNTS, Group, shop

pytestmark = needs_chromium

ORDER = b'{"user": 1, "amount": 2.5}'
REFUSED = "Failed to load resource: the server responded with a status of 422"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Broker() as broker, Group(shop(), COUNTS) as group:
        servers = broker.bootstrap_servers
        make_topics(servers, orders=2, users=1, nothing_here=1, shop_users_changelog=1, orders_dead=1, hostile=1)
        write(servers, "orders", ("ann", ORDER, 1_000, 0), ("bob", b"garbage", 2_000, 1), headers=[("trace", b"t-1")])
        commit(servers, "mailer", "orders", {0: 0, 1: 1})
        write(
            servers, DEAD, ("bob", b"garbage", 2_000), headers=letter_headers("orders", 1, 0, "shop.Wrong", "no order")
        )
        write(servers, DEAD, ("cyd", ORDER, 3_000), headers=letter_headers("orders", 0, 9, "KeyError", "'item'"))
        yield Site(group, servers, dead_letter_topic=DEAD)


@pytest.fixture
def looking(context: playwright.BrowserContext, site: Site) -> Iterator[Looking]:
    with context.new_page() as tab:
        looking = Looking(tab, site.worker.endpoint)
        yield looking
        assert looking.said == []


def test_topics_are_found_by_name_and_opened_by_keys(looking: Looking) -> None:
    looking.open("topics")
    looking.sees("5 topics")
    looking.tab.get_by_label("internal ones").check()
    looking.sees("shop-users-changelog")
    looking.tab.get_by_placeholder("Name contains").fill("ord")
    playwright.expect(looking.tab.locator("tbody tr")).to_have_count(2)
    looking.tab.locator("tbody tr").first.focus()
    looking.tab.keyboard.press("Enter")
    playwright.expect(looking.tab.locator("h1")).to_have_text("orders")
    looking.sees("keys String, values Json(Order)")


def test_records_are_followed_filtered_and_shown_whole(looking: Looking, site: Site) -> None:
    looking.open("topics/orders")
    rows = looking.tab.locator("tbody tr")
    playwright.expect(rows.first).to_contain_text("garbage")
    playwright.expect(rows.first.get_by_label("Not of the topic's type")).to_have_count(1)
    looking.sees("live")
    looking.tab.get_by_label("Where").fill("F.amount > 50")
    write(site.servers, "orders", ("eve", b'{"user": 5, "amount": 70}', 4_000, 0))
    playwright.expect(rows.first).to_contain_text("eve")
    playwright.expect(looking.tab.get_by_label("Where")).to_have_value("F.amount > 50")  # not taken back by records
    looking.tab.keyboard.press("Enter")
    playwright.expect(rows).to_have_count(1)
    rows.first.focus()
    looking.tab.keyboard.press("Enter")
    details = looking.tab.get_by_role("complementary")
    playwright.expect(details).to_contain_text('"amount": 70')
    looking.tab.keyboard.press("Escape")
    playwright.expect(details).to_have_count(0)
    looking.tab.get_by_label("Where").fill("F.amount >")
    looking.tab.keyboard.press("Enter")
    looking.sees("is no expression")
    looking.said.clear()  # Chromium tells of the 400


def test_details_have_the_focus_before_another_key_can_be_pressed(looking: Looking, site: Site) -> None:
    looking.open("topics/orders")
    looking.tab.locator("tbody tr", has_text="garbage").focus()
    focused = looking.tab.evaluate("""async () => {
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
        for (let turn = 0; turn < 20; turn += 1) await null;  // it is rendered, and no other event had a turn
        return document.activeElement.className;
    }""")
    assert focused == "details"


def test_pause_keeps_what_is_shown_and_nothing_that_comes_is_missed(looking: Looking, site: Site) -> None:
    looking.open("topics/users")
    looking.sees("live")
    write(site.servers, "users", ("first", b"1", 1_000))
    rows = looking.tab.locator("tbody tr")
    playwright.expect(rows).to_have_count(1)
    looking.tab.get_by_role("button", name="Pause").click()
    write(site.servers, "users", ("second", b"2", 2_000), ("third", b"3", 3_000))
    looking.sees("2 new records to be shown")
    playwright.expect(rows).to_have_count(1)
    looking.tab.get_by_role("button", name="Go on").click()
    playwright.expect(rows).to_have_count(3)
    playwright.expect(rows.first).to_contain_text("third")


def test_topic_without_records_says_what_would_bring_some(looking: Looking) -> None:
    looking.open("topics/nothing-here")
    looking.sees("headrace produce nothing-here")
    looking.tab.get_by_role("link", name="Partitions").click()
    playwright.expect(looking.tab.locator("tbody tr")).to_have_count(1)
    looking.tab.get_by_role("link", name="Settings").click()
    looking.sees("Everything is by default")
    looking.tab.get_by_label("with defaults").check()
    looking.sees("retention.ms")


def test_record_is_produced_once_it_is_right(looking: Looking, site: Site) -> None:
    looking.open("topics/orders/produce")
    value = looking.tab.get_by_role("textbox", name="Value", exact=False).first
    playwright.expect(value).to_have_value('{\n  "user": 0,\n  "amount": 0.0\n}')
    looking.tab.get_by_label("Key").first.fill("zoe")
    value.fill('{"user": "x", "amount": 1}')
    looking.tab.keyboard.press("Control+Enter")
    looking.sees("$.user")
    assert looking.tab.evaluate("document.activeElement.name") == "value"
    value.fill('{"user": 8, "amount": 1}')
    looking.tab.get_by_label("Partition").select_option("1")
    looking.tab.get_by_role("button", name="Produce").click()
    looking.sees("Written to partition 1 at offset 1")
    assert read(site.servers, "orders", 1, 1).value() == b'{"user": 8, "amount": 1}'
    assert [REFUSED in said for said in looking.said] == [True]
    looking.said.clear()


def test_key_that_is_left_alone_is_null_and_one_that_is_not_may_be_empty(looking: Looking, site: Site) -> None:
    looking.open("topics/orders/produce")
    key, null = looking.tab.locator("#produce-key"), looking.tab.locator("#produce-key ~ label input")
    looking.tab.get_by_label("Partition").select_option("1")
    for nth, (typed, wanted) in enumerate([(None, None), ("x", b"x"), ("", b"")]):
        if typed is not None:
            key.fill(typed)
        playwright.expect(null).to_be_checked(checked=wanted is None)
        looking.tab.get_by_role("button", name="Produce").click()
        written = looking.tab.locator("[role=status] p")
        playwright.expect(written).to_have_count(nth + 1)
        offset = int(re.findall(r"offset (\d+)", written.first.inner_text())[0])
        assert read(site.servers, "orders", 1, offset).key() == wanted


def test_groups_tell_members_and_lag(looking: Looking) -> None:
    looking.open("groups")
    looking.sees("mailer")
    looking.tab.get_by_role("link", name="mailer").click()
    looking.sees("Nobody is in the group")
    playwright.expect(looking.tab.locator("tbody tr").first).to_contain_text("orders")


def test_dead_letters_are_read_and_sent_again_after_a_question(looking: Looking, site: Site) -> None:
    looking.open("dead-letters")
    looking.sees("2 letters")
    looking.tab.get_by_role("button", name="Wrong 1").click()
    playwright.expect(looking.tab.locator("tbody tr")).to_have_count(1)
    looking.tab.locator("tbody tr").focus()
    looking.tab.keyboard.press("Space")
    playwright.expect(looking.tab.get_by_role("button", name="Re-submit 1 letter")).to_be_enabled()
    looking.tab.keyboard.press("Space")
    looking.tab.keyboard.press("Enter")
    details = looking.tab.get_by_role("complementary")
    playwright.expect(details).to_contain_text("Traceback")
    playwright.expect(details).to_contain_text("garbage")
    before = site.get("topics/orders").body["partitions"][1]["end"]
    details.get_by_role("button", name="Re-submit").click()
    question = looking.tab.get_by_role("dialog")
    playwright.expect(question).to_contain_text("orders: 1 record")
    looking.tab.keyboard.press("Escape")
    playwright.expect(question).to_have_count(0)
    assert site.get("topics/orders").body["partitions"][1]["end"] == before
    details.get_by_role("button", name="Re-submit").click()
    question.get_by_role("button", name="Send again").click()
    looking.sees("1 record sent to orders")
    assert read(site.servers, "orders", 1, before).value() == b"garbage"


def test_focus_is_kept_when_the_button_that_asked_has_nothing_left_to_do(looking: Looking) -> None:
    looking.open("dead-letters")
    looking.tab.locator("tbody tr").first.press(" ")
    looking.tab.get_by_role("button", name="Re-submit 1 letter").press("Enter")
    looking.tab.get_by_role("dialog").get_by_role("button", name="Send again").press("Enter")
    looking.sees("1 record sent to orders")
    playwright.expect(looking.tab.get_by_role("dialog")).to_have_count(0)
    playwright.expect(looking.tab.locator("#content")).to_be_focused()


def test_hostile_letter_runs_nothing_and_keeps_to_its_room(looking: Looking, site: Site) -> None:
    evil = "<img src=x onerror=hurt=1></script><script>hurt=1</script>\"'\u202e" + "W" * 3_000
    headers = [(evil, evil.encode()), *letter_headers(evil, 0, 0, evil, evil)]
    write(site.servers, "hostile", (evil, evil.encode()), headers=headers)
    for place in ("topics/hostile", "dead-letters?topic=hostile", "dead-letters?topic=hostile&letter=0:0"):
        looking.open(place)
        looking.sees("onerror")
        looking.tab.locator("tbody tr").first.wait_for()
        assert looking.tab.evaluate("[window.hurt, document.querySelector('main img'), innerWidth]") == [
            None,
            None,
            looking.tab.evaluate("document.documentElement.scrollWidth"),
        ]


def test_value_that_is_nested_deep_is_shown_as_it_is(looking: Looking, site: Site) -> None:
    """Indented it would be a thousand times as long, and end the tab."""
    deep = "[" * 3_000 + "]" * 3_000
    write(site.servers, "users", ("deep", deep.encode()))
    looking.open("topics/users")
    looking.tab.get_by_text("deep", exact=True).click()
    value = looking.tab.get_by_role("complementary").locator("pre", has_text="[[[")
    playwright.expect(value).to_have_text(deep)


def test_dead_letters_of_an_application_without_a_topic_say_how_to_have_one(
    context: playwright.BrowserContext, site: Site
) -> None:
    with context.new_page() as tab:
        looking = Looking(tab, Site(site.group, site.servers).worker.endpoint)
        looking.open("dead-letters")
        looking.sees("No dead-letter topic is configured")
        looking.sees("processing_handler")


def test_read_only_dashboard_offers_no_writing(context: playwright.BrowserContext, site: Site) -> None:
    with context.new_page() as tab:
        looking = Looking(
            tab, Site(site.group, site.servers, web_read_only=True, dead_letter_topic=DEAD).worker.endpoint
        )
        looking.open("topics/orders/produce")
        looking.sees("this dashboard is read-only")
        looking.open("dead-letters")
        looking.sees("Nothing can be sent again from here")
        tab.get_by_label("Select all").check()
        playwright.expect(tab.get_by_role("button", name="Re-submit").first).to_be_disabled()
