"""The pages in Chromium, on a worker that runs: what they show, that keys suffice, and that the console stays empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import Broker
from tests.streams.dashboard.looking import Looking, needs_chromium, playwright
from tests.streams.dashboard.orders import order, orders
from tests.streams.query.shop import COUNTS, Group, User, shop
from tests.streams.runtime.bench import Bench, RunningWorker, until

pytestmark = needs_chromium

PAGES = {
    "": "Overview",
    "topology": "Topology",
    "tasks": "Tasks",
    "stores": "Stores",
    "topics": "Topics",
    "groups": "Groups",
    "dead-letters": "Dead letters",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Broker() as broker, Bench(broker.bootstrap_servers, tmp_path_factory.mktemp("dash"), "shop") as bench:
        bench.topics(**{"in": 2, "out": 1})
        yield bench


@pytest.fixture(scope="module")
def worker(bench: Bench) -> RunningWorker:
    """It has taken in three orders, one of which failed."""
    app = orders(bench)
    tasks = bench.partition_plan(app, **{"in": 2}).tasks
    running = bench.run(app, *tasks, web=True, query_port=0, processing_handler="continue")
    bench.produce("in", order("north", "ada", 3), order("north", "bob", 5), order("south", "ada", 0))
    until(lambda: running.processed() == 5, "the orders")  # two of them went through the repartition topic
    return running


@pytest.fixture
def looking(context: playwright.BrowserContext, worker: RunningWorker) -> Iterator[Looking]:
    """Nothing may be said on the console."""
    with context.new_page() as tab:
        looking = Looking(tab, worker.worker.endpoint)
        yield looking
        assert looking.said == []


def test_every_page_opens_without_a_word_on_the_console(looking: Looking) -> None:
    looking.open("")
    for path, title in PAGES.items():
        looking.tab.locator(f'nav a[href="#/{path}"]').click()
        playwright.expect(looking.tab.locator("h1")).to_have_text(title)
        playwright.expect(looking.tab.locator(".waiting")).to_have_count(0)
        assert looking.tab.title() == f"{title} · headrace"
        assert looking.said == [], path


def test_overview_shows_the_worker_and_draws_its_rates(looking: Looking, worker: RunningWorker) -> None:
    looking.open("")
    looking.sees(worker.worker.client_id)
    looking.sees("running")
    looking.sees("all running, at 1 worker")
    playwright.expect(looking.tab.locator(".chart canvas")).to_have_count(3)


def test_overview_does_not_call_all_running_what_a_worker_that_is_gone_has(
    context: playwright.BrowserContext, group: Group
) -> None:
    here, gone = group.worker(*group.of([0, 1, 2]), web=True), group.worker(*group.of([3]))
    gone.server.stop()
    with context.new_page() as tab:
        looking = Looking(tab, here.endpoint)
        looking.open("")
        looking.sees(f"{len(gone.running)} more with workers that cannot be asked")
        playwright.expect(tab.locator("main")).not_to_contain_text("all running")
        assert looking.said == []


def test_worker_that_cannot_reach_the_broker_is_said_to_on_every_page_until_it_can(
    looking: Looking, worker: RunningWorker
) -> None:
    """It keeps its tasks, which look as if they ran."""
    looking.open("")
    looking.sees("all running")
    worker.membership.unreachable_since = 1_767_268_800_123
    try:
        looking.sees("No worker can reach the broker")
        looking.sees("since 2026-01-01")
        looking.sees("4 without the broker")
        looking.sees("no broker")
        playwright.expect(looking.tab.locator("main")).not_to_contain_text("all running")
        looking.tab.locator('nav a[href="#/tasks"]').click()
        playwright.expect(looking.tab.locator("h1")).to_have_text("Tasks")
        looking.sees("No worker can reach the broker")
    finally:
        worker.membership.unreachable_since = None
    playwright.expect(looking.tab.locator(".banner")).to_have_count(0)
    looking.open("")
    looking.sees("all running")


def test_navigation_of_a_narrow_window_shows_where_one_is(looking: Looking) -> None:
    looking.tab.set_viewport_size({"width": 400, "height": 800})
    looking.open("groups")
    playwright.expect(looking.tab.locator("nav [aria-current]")).to_be_in_viewport(ratio=0.9)
    assert looking.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_navigation_of_a_narrow_window_takes_no_more_room_than_it_needs(looking: Looking) -> None:
    """Neither from a page that has room left, nor for a title in two lines."""
    looking.tab.set_viewport_size({"width": 400, "height": 2000})
    looking.open("groups")
    looking.sees("Groups")
    assert looking.tab.locator("header.side").evaluate("header => header.offsetHeight") < 120


def test_topology_is_walked_by_keys_and_tells_the_users_line(looking: Looking) -> None:
    looking.open("topology")
    looking.tab.get_by_role("button", name="Operator check").focus()
    looking.tab.keyboard.press("Enter")
    details = looking.tab.get_by_role("complementary", name="check")
    playwright.expect(details).to_contain_text("map_values(refuse_free")
    playwright.expect(details).to_contain_text("1 record failed here")
    playwright.expect(details).to_contain_text("an order for nothing")
    looking.tab.keyboard.press("Escape")
    playwright.expect(details).to_have_count(0)
    assert looking.focused().startswith("Operator check")
    looking.tab.keyboard.press("ArrowRight")
    assert looking.focused().startswith(("Operator", "Store"))
    assert not looking.focused().startswith("Operator check")


def test_topology_shows_the_size_of_stores_and_the_lag_of_inputs(looking: Looking) -> None:
    looking.open("topology")
    playwright.expect(looking.tab.get_by_role("button", name="Store per-shop")).to_contain_text("1 rows")
    looking.sees("lag 0")
    looking.sees("Sub-topology 1")


def test_tasks_are_chosen_by_keys(looking: Looking) -> None:
    looking.open("tasks")
    looking.sees("4 running")
    looking.tab.locator("tbody tr").first.focus()
    looking.tab.keyboard.press("ArrowDown")
    looking.tab.keyboard.press("Enter")
    playwright.expect(looking.tab.get_by_role("complementary", name="Task 0_1")).to_contain_text("per-shop")
    assert looking.tab.evaluate("location.hash") == "#/tasks/0_1"


def test_escape_leads_back_to_the_row_that_was_chosen_last(looking: Looking) -> None:
    looking.open("tasks")
    rows = looking.tab.get_by_role("region", name="Tasks").locator("tbody tr")
    rows.nth(0).press("Enter")
    playwright.expect(looking.tab.get_by_role("complementary", name="Task 0_0")).to_be_focused()
    rows.nth(1).press("Enter")
    playwright.expect(looking.tab.get_by_role("complementary", name="Task 0_1")).to_be_focused()
    looking.tab.keyboard.press("Escape")
    playwright.expect(rows.nth(1)).to_be_focused()


def test_store_is_browsed_looked_into_and_watched(looking: Looking, bench: Bench) -> None:
    looking.open("stores")
    looking.tab.get_by_role("link", name="per-shop").click()
    looking.sees("1 row")
    looking.tab.get_by_label("Key", exact=True).fill("nowhere")
    looking.tab.keyboard.press("Enter")
    looking.sees("Nothing for the key “nowhere”")
    looking.tab.get_by_label("Key", exact=True).fill("north")
    looking.tab.get_by_role("button", name="Watch this key").click()
    playwright.expect(looking.tab.get_by_text("watching", exact=True)).to_be_visible()  # the button stops it
    bench.produce("in", order("north", "ada", 1))
    playwright.expect(looking.tab.locator("tbody tr").first).to_contain_text("3")
    looking.said.clear()  # Chromium tells of the 404


def test_key_that_looks_like_a_step_in_a_path_is_found(looking: Looking, bench: Bench) -> None:
    """Browsers take `..` out of paths, escaped or not."""
    looking.open("stores/per-shop?key=..&watch=true")
    playwright.expect(looking.tab.get_by_text("watching", exact=True)).to_be_visible()
    bench.produce("in", order("..", "ada", 1))
    row = looking.tab.locator("tbody tr")
    playwright.expect(row).to_contain_text("..")
    looking.open("stores/per-shop?key=..")
    looking.sees("1 row")
    playwright.expect(row).to_contain_text("..")


def test_empty_key_is_shown_looked_up_and_watched(looking: Looking, bench: Bench) -> None:
    """A key without characters is one, and is not the same as no key in the form."""
    row = looking.tab.locator("tbody tr").first
    looking.open("stores/per-shop")
    looking.tab.get_by_label("The empty key").check()
    looking.tab.get_by_role("button", name="Look").click()
    looking.sees("Nothing for the empty key")
    looking.tab.get_by_role("button", name="Watch this key").click()
    looking.sees("Changes of the empty key")
    playwright.expect(looking.tab.get_by_text("watching", exact=True)).to_be_visible()
    bench.produce("in", order("elsewhere", "ada", 1), order("", "ada", 1))
    playwright.expect(row).to_contain_text("empty")
    looking.tab.get_by_role("button", name="Look").click()
    looking.sees("1 row")
    playwright.expect(row.locator("td").first).to_have_text("empty")
    looking.open(f"topics/{bench.name('in')}")
    looking.tab.locator("tbody tr td:nth-child(3)").get_by_text("empty", exact=True).click()
    playwright.expect(looking.tab.locator(".part-text").first).to_contain_text("empty")
    looking.said.clear()  # Chromium tells of the 404


def test_windows_have_their_fields_as_columns(looking: Looking) -> None:
    looking.open("stores/hourly?key=bob")
    row = looking.tab.locator("tbody tr")
    playwright.expect(row).to_contain_text("bob")
    playwright.expect(row).to_contain_text("5")
    assert looking.tab.locator("th").all_inner_texts() == ["Key", "Window", "n", "average", "Timestamp"]


def test_question_that_is_wrong_is_answered_in_the_workers_words(looking: Looking) -> None:
    looking.open("stores/hourly?from=yesterday")
    looking.sees("from='yesterday' is no time")
    looking.said.clear()  # Chromium tells of the 400


def test_page_that_does_not_exist_is_said_to(looking: Looking) -> None:
    looking.open("nothing")
    looking.sees("There is no page “nothing”")
    looking.open("stores/100%")
    looking.sees("There is no store “100%”")


def held_back(tab: playwright.Page, page: str) -> Callable[[], None]:
    """Has the module of a page wait until what is returned is called."""
    came: list[playwright.Route] = []
    tab.route(f"**/js/pages/{page}.js", lambda route: came.append(route))  # no method of C can be one

    def let_come() -> None:
        for route in came:
            route.continue_()

    return let_come


def test_keys_reach_the_page_past_the_navigation(looking: Looking) -> None:
    let_come = held_back(looking.tab, "tasks")
    looking.open("tasks")
    looking.tab.get_by_role("link", name="Tasks").wait_for()
    looking.tab.keyboard.press("Tab")
    let_come()
    looking.sees("running")
    assert looking.focused() == "Skip to the page", "though the page came later than the key"
    looking.tab.keyboard.press("Enter")
    assert looking.tab.evaluate("document.activeElement.id") == "content"


def test_colours_follow_the_system_until_somebody_chooses(looking: Looking) -> None:
    def ground() -> str:
        return looking.tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    looking.open("")
    light = ground()
    looking.tab.emulate_media(color_scheme="dark")
    dark = ground()
    assert dark != light
    looking.tab.get_by_role("button", name="Light").click()
    assert ground() == light
    looking.tab.reload()
    assert ground() == light
    looking.tab.get_by_role("button", name="As the system").click()
    assert ground() == dark


def test_page_finds_the_worker_again_after_a_restart(context: playwright.BrowserContext, tmp_path: Path) -> None:
    """It says so meanwhile, and goes on showing what it had."""
    with Group(shop(), COUNTS) as group, context.new_page() as tab:
        first = group.worker(*group.plan.tasks, web=True)
        looking = Looking(tab, first.endpoint)
        looking.open("")
        looking.sees("running")
        first.server.stop()
        looking.sees("No word from the worker")
        looking.sees("shop-1")
        port = int(str(first.endpoint).rpartition(":")[2])
        group.workers.remove(first)
        group.worker(*group.plan.tasks, web=True, query_port=port)
        playwright.expect(tab.locator(".banner")).to_have_count(0)
        looking.sees("running")


def test_token_is_asked_for_and_kept_for_the_tab(context: playwright.BrowserContext) -> None:
    with Group(shop(), COUNTS) as group, context.new_page() as tab:
        worker = group.worker(*group.plan.tasks, web=True, query_token="secret")
        looking = Looking(tab, worker.endpoint)
        let_come = held_back(tab, "topology")
        looking.open("topology")
        looking.sees("This application asks for its token")
        tab.get_by_label("Token").fill("wrong")
        let_come()
        playwright.expect(tab.locator("h1")).to_have_text("Topology")
        tab.keyboard.press("Enter")  # the page that came meanwhile has left the focus to whoever types
        looking.sees("That is not the token")
        tab.get_by_label("Token").fill("secret")
        tab.keyboard.press("Enter")
        looking.sees("Sub-topology 0")  # what the page was refused it asks again
        looking.open("")
        looking.sees("shop-1")
        tab.reload()
        looking.sees("shop-1")
        playwright.expect(tab.get_by_label("Token")).to_have_count(0)


def test_whole_numbers_beyond_2_to_the_53_keep_their_digits(context: playwright.BrowserContext) -> None:
    with Group(shop(), COUNTS) as group, context.new_page() as tab:
        worker = group.worker(*group.plan.tasks, web=True)
        large = 1_234_567_890_123_456_789
        group.store("users", 0).put(large.to_bytes(8, "big"), (User("ann"), 1_000))
        group.commit()
        looking = Looking(tab, worker.endpoint)
        looking.open("stores/users")
        looking.sees(str(large))


def test_long_value_of_a_store_is_shown_whole_when_it_is_asked_for(
    context: playwright.BrowserContext, group: Group
) -> None:
    """A page has fifty of them, and each may have a million characters."""
    worker = group.worker(*group.plan.tasks, web=True)
    group.store("users", 0).put((1).to_bytes(8, "big"), (User("n" * 5_000), 1_000))
    group.commit()
    with context.new_page() as tab:
        looking = Looking(tab, worker.endpoint)
        looking.open("stores/users")
        name = tab.locator("tbody td").nth(1)
        playwright.expect(name).to_contain_text("nnn…")
        tab.get_by_role("button", name="all 5,000 characters").press("Enter")
        playwright.expect(name).to_contain_text("n" * 5_000)


def test_worker_that_cannot_be_reached_is_said_to_be(context: playwright.BrowserContext) -> None:
    """The page goes on with the others."""
    with Group(shop(), COUNTS) as group, context.new_page() as tab:
        worker = group.worker(*group.of((0, 1)), web=True)
        gone = group.worker(*group.of((2, 3)))
        gone.server.stop()
        looking = Looking(tab, worker.endpoint)
        looking.open("")
        looking.sees("cannot be asked")
        looking.sees("are not among the figures below")
        looking.sees("shop-1")
