"""One row, asked of any worker."""

from __future__ import annotations

import pytest

from streams import App
from streams.partitioner import partition_for_key
from streams.plan.task_id import TaskId
from streams.runtime.listener import RestoreProgress
from streams.testing import TopologyTestDriver
from tests.streams.query.shop import Group, Order, User, Worker, ask, shop


def key_of(number: int) -> bytes:
    return number.to_bytes(8, "big")


def home(number: int) -> int:
    return partition_for_key(key_of(number), 4)


def put_users(group: Group, count: int) -> None:
    """Each where its hash says."""
    for number in range(count):
        group.store("users", home(number)).put(key_of(number), (User(f"u{number}"), 1_000 + number))
    group.commit()


@pytest.fixture
def pair(group: Group) -> tuple[Worker, Worker]:
    """Two workers, with the even and the odd partitions."""
    put_users(group, 40)
    return group.worker(*group.of((0, 2))), group.worker(*group.of((1, 3)))


def test_get_is_answered_by_any_worker(pair: tuple[Worker, Worker]) -> None:
    for worker in pair:
        for number in range(40):
            reply = ask(worker, f"/stores/users/{number}")
            assert (reply.status, reply.body) == (
                200,
                {"key": number, "value": {"name": f"u{number}"}, "timestamp": 1_000 + number},
            )


def test_get_absent_key_is_404_from_any_worker(pair: tuple[Worker, Worker]) -> None:
    for worker in pair:
        reply = ask(worker, "/stores/users/4711")
        assert (reply.status, reply.body["reason"], reply.body["store"]) == (404, "absent", "users")
        assert "4711" in reply.body["detail"]


def test_get_key_that_lies_elsewhere_than_its_hash_says_is_found(group: Group, pair: tuple[Worker, Worker]) -> None:
    """A user's topic may have been written with another partitioner."""
    strange = 999
    group.store("users", (home(strange) + 1) % 4).put(key_of(strange), (User("Ada"), 5))
    group.commit()
    assert {ask(worker, f"/stores/users/{strange}").body["value"]["name"] for worker in pair} == {"Ada"}


def test_get_key_whose_partition_moves_is_409_though_others_might_have_it(
    group: Group, pair: tuple[Worker, Worker]
) -> None:
    """What another partition has of the key may be older."""
    first, second = pair
    moving = group.task("users", home(7))
    group.store("users", (home(7) + 2) % 4).put(key_of(7), (User("stale"), 1))
    group.commit()
    for worker in pair:
        worker.running -= {moving}
    group.tell()
    for worker in pair:
        reply = ask(worker, "/stores/users/7")
        assert (reply.status, reply.body["reason"], reply.headers["Retry-After"]) == (409, "moving", "1")
    second.running |= {moving}
    assert {ask(worker, "/stores/users/7").status for worker in pair} == {200, 409}, "the first has not heard of it yet"
    group.tell()
    assert {ask(worker, "/stores/users/7").status for worker in (first, second)} == {200}


def test_get_absent_key_while_another_partition_moves_is_409(group: Group, pair: tuple[Worker, Worker]) -> None:
    """It may be there; but a store that we filled by its keys has it nowhere else."""
    first, second = pair
    for store, status in (("users", 409), ("by-user", 404)):
        others = {group.task(store, n) for n in range(4) if n != home(4711)}
        first.running, second.running = frozenset(group.plan.tasks) - others, frozenset()
        group.tell()
        assert ask(first, f"/stores/{store}/4711").status == status


def test_get_asked_of_the_one_who_gave_the_task_away_is_409(group: Group, pair: tuple[Worker, Worker]) -> None:
    """The worker that is asked believes what the group last said; the one asked by it knows better."""
    first, second = pair
    number = next(n for n in range(40) if home(n) in (1, 3))
    second.running -= {group.task("users", home(number))}
    reply = ask(first, f"/stores/users/{number}")
    assert (reply.status, reply.body["reason"], reply.headers["Retry-After"]) == (409, "moving", "1")


def test_get_of_a_task_that_is_being_restored_is_503_with_progress(group: Group, pair: tuple[Worker, Worker]) -> None:
    _, second = pair
    number = next(n for n in range(40) if home(n) in (1, 3))
    task = group.task("users", home(number))
    second.running, second.coming = second.running - {task}, frozenset({task})
    second.progress[task, "users"] = progress(task)
    for worker in pair:
        reply = ask(worker, f"/stores/users/{number}")
        assert (reply.status, reply.body["reason"], reply.headers["Retry-After"]) == (503, "restoring", "3")
        assert reply.body["progress"] == {
            "task": str(task),
            "position": 400,
            "end": 1000,
            "remaining": 600,
            "eta_s": 3.0,
        }
        assert "600 records to read" in reply.body["detail"]


def progress(task: TaskId) -> RestoreProgress:
    return RestoreProgress(
        task=task,
        store="users",
        topic="users",
        start_offset=0,
        position=400,
        end_offset=1000,
        records=400,
        records_per_s=200.0,
        done=False,
    )


def test_get_whose_worker_is_gone_is_503_naming_it(pair: tuple[Worker, Worker]) -> None:
    first, second = pair
    number = next(n for n in range(40) if home(n) in (1, 3))
    assert ask(first, f"/stores/users/{number}").status == 200
    second.server.stop()
    reply = ask(first, f"/stores/users/{number}")
    assert (reply.status, reply.body["reason"], reply.headers["Retry-After"]) == (503, "unreachable", "1")
    assert str(second.endpoint) in reply.body["detail"]


def test_get_from_a_worker_that_may_have_been_given_up_is_503(pair: tuple[Worker, Worker]) -> None:
    """It was silent for a session: its rows may be old, and it does not know."""
    _, second = pair
    second.held = False
    for worker in pair:
        statuses = {home(n): ask(worker, f"/stores/users/{n}") for n in range(40)}
        assert {n: reply.status for n, reply in statuses.items()} == {0: 200, 1: 503, 2: 200, 3: 503}
        assert statuses[1].body["reason"] == "unsure"


def test_get_from_a_worker_of_another_application_is_503(group: Group, pair: tuple[Worker, Worker]) -> None:
    """It listens where one of ours did."""
    first, second = pair
    number = next(n for n in range(40) if home(n) in (1, 3))
    second.server.stop()
    with Group(group_of_other(), {"users": 4}) as other:
        stranger = other.worker(*other.plan.tasks, application_id="other")
        other.store("users", home(number)).put(key_of(number), ("wrong", 1))
        other.commit()
        group.members = tuple(
            type(view)(
                member_id=view.member_id,
                tasks=view.tasks,
                endpoint=stranger.endpoint if view.member_id == "1" else view.endpoint,
                host=view.host,
            )
            for view in group.members
        )
        reply = ask(first, f"/stores/users/{number}")
        assert (reply.status, reply.body["reason"]) == (503, "unreachable")


def group_of_other() -> App:
    app = App("other")
    app.table("users", key=int, value=str, store="users")
    return app


def test_get_before_the_worker_knows_its_topics_is_503(pair: tuple[Worker, Worker]) -> None:
    pair[0].partitions = None
    for path in ("/stores/users/7", "/stores/users", "/stores", "/scan/users?wait_ms=0", "/changes/users"):
        reply = ask(pair[0], path)
        assert (reply.status, reply.body["reason"], reply.headers["Retry-After"]) == (503, "starting", "1"), path


def test_get_before_the_worker_is_a_member_is_503_for_what_is_not_here(
    group: Group, pair: tuple[Worker, Worker]
) -> None:
    group.members = ()
    statuses = {home(n): ask(pair[0], f"/stores/users/{n}").status for n in range(40)}
    assert statuses == {0: 200, 1: 503, 2: 200, 3: 503}


def test_get_from_a_closed_task_is_409(group: Group, pair: tuple[Worker, Worker]) -> None:
    """The task left between the look-up and the read."""
    group.store("hourly", partition_for_key(b"a", 4)).put(b"a", 0, (1, 5))
    group.commit()
    for state in group.states.values():
        state.close()
    for path in ("/stores/users/7", "/stores/hourly/a", "/stores/users"):
        assert ask(pair[0], path).status == 409


def test_get_unknown_store_is_404_with_those_there_are(pair: tuple[Worker, Worker]) -> None:
    reply = ask(pair[0], "/stores/user/8")
    assert (reply.status, reply.body["reason"]) == (404, "unknown-store")
    assert "did you mean 'users'?" in reply.body["detail"]
    assert "averages, by-user, countries, hourly, prices, users, visits" in reply.body["detail"]


def test_get_key_that_is_none_is_400_with_the_type(pair: tuple[Worker, Worker]) -> None:
    reply = ask(pair[0], "/stores/users/ada")
    assert (reply.status, reply.body["reason"]) == (400, "bad-question")
    assert "'ada'" in reply.body["detail"]
    assert "int" in reply.body["detail"].lower()


def test_get_in_one_partition_looks_nowhere_else(pair: tuple[Worker, Worker]) -> None:
    assert ask(pair[0], f"/stores/users/7?partition={home(7)}").status == 200
    assert ask(pair[0], f"/stores/users/7?partition={(home(7) + 1) % 4}").status == 404
    reply = ask(pair[0], "/stores/users/7?partition=4")
    assert (reply.status, reply.body["detail"]) == (400, "store 'users' has partitions 0 to 3")


def test_get_of_a_global_store_is_answered_by_each_worker_itself(group: Group, pair: tuple[Worker, Worker]) -> None:
    group.everywhere.store("countries").put(b"it", ("Italia", 5))  # type: ignore[call-arg]
    group.commit()
    pair[1].server.stop()
    assert ask(pair[0], "/stores/countries/it").body == {"key": "it", "value": "Italia", "timestamp": 5}
    assert ask(pair[0], "/stores/countries").body["rows"] == [{"key": "it", "value": "Italia", "timestamp": 5}]
    assert ask(pair[0], "/stores/countries/xx").status == 404


def test_get_of_a_versioned_store_is_of_the_latest_version_or_of_a_time(group: Group) -> None:
    worker, other = group.worker(), group.worker(*group.plan.tasks)
    prices = group.store("prices", partition_for_key(b"apple", 4))
    for value, since in [(1, 1_000), (2, 2_000), (3, 2_500)]:
        prices.put(b"apple", value, since)
    prices.advance(2_500)
    group.commit()
    for each in (worker, other):
        assert ask(each, "/stores/prices/apple").body == {"key": "apple", "value": 3, "timestamp": 2_500}
        assert ask(each, "/stores/prices/apple?as_of=2499").body["value"] == 2
        assert ask(each, "/stores/prices/apple?as_of=1970-01-01T00:00:02.499Z").body["value"] == 2
        assert ask(each, "/stores/prices/apple?as_of=1499").status == 404, "beyond the history"
        versions = ask(each, "/stores/prices/apple?from=0").body["rows"]
        assert [(row["value"], row["valid_to"]) for row in versions] == [(1, 2_000), (2, 2_500), (3, None)]
        assert ask(each, "/stores/users/7?as_of=1").body["detail"] == "store 'users' is not versioned: leave out as_of"


def test_get_of_named_aggregates_shows_them(group: Group) -> None:
    """What is stored are sums and counts; what is asked for is the mean."""
    worker = group.worker(*group.plan.tasks)
    with TopologyTestDriver(shop()) as driver:
        orders = driver.input_topic("orders")
        for amount in (10.0, 30.0):
            orders.pipe(Order(1, amount), key="a/b c", timestamp=17)
        ((key, row),) = driver.raw_store("averages").all()
    group.store("averages", partition_for_key(key, 4)).put(key, row)
    group.commit()
    for path in ("/stores/averages/a%2Fb%20c", "/stores/averages/a/b c"):
        assert ask(worker, path.replace(" ", "%20")).body == {
            "key": "a/b c",
            "value": {"n": 2, "average": 20.0},
            "timestamp": 17,
        }


def test_get_many_at_once_through_the_other_worker(pair: tuple[Worker, Worker]) -> None:
    """They share requests, and each gets its own answer."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda n: ask(pair[0], f"/stores/users/{n % 40}"), range(400)))
    assert [reply.body["key"] for reply in replies] == [n % 40 for n in range(400)]
