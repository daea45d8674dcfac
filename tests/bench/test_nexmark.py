"""Nexmark: what headrace's programs answer is what the oracle says, and the generator keeps to its rules."""

from __future__ import annotations

from collections import Counter
from importlib import import_module

import msgspec
import pytest

from bench.nexmark import q5_hot_items, q6_seller_prices
from bench.nexmark.answers import Oracle
from bench.nexmark.generator import FIRST_ID, FIRST_TIMESTAMP, Generator
from bench.nexmark.queries import QUERIES
from bench.nexmark.records import Auction, Bid
from streams import App
from streams.testing import TopologyTestDriver


@pytest.mark.parametrize("name", QUERIES)
def test_query_gives_what_the_oracle_says(name: str) -> None:
    query = QUERIES[name]
    data = query.data(20_000, 100)
    app = App("bench")
    import_module(f"bench.nexmark.{name}").declare(app, ",".join(query.topics), "out")
    rows = [(ts, topic, key, value) for topic, held in data.topics().items() for key, value, ts in held]
    with TopologyTestDriver(app, commit="manual") as driver:
        for ts, topic, key, value in sorted(rows):
            driver.pipe(topic, key, value, ts, None)
        driver.commit()
        records = driver.output_topic("out", key=bytes, value=bytes).read_all()
    tally = query.tally()
    for record in records:
        tally.add(record.key, msgspec.json.decode(record.value))
    answer = query.answer(Oracle(data, partitions=1))
    assert answer.records > 0
    assert tally.problem(answer) is None


def test_hot_items_auctions_with_equally_many_bids_come_out_together() -> None:
    app = App("bench")
    q5_hot_items.declare(app, "bid", "out")
    with TopologyTestDriver(app) as driver:
        bids = driver.input_topic("bid")
        for auction, seconds in ((1, 0), (2, 1), (2, 2), (1, 3), (3, 4), (3, 30)):
            at = FIRST_TIMESTAMP + 1_000 * seconds
            bids.pipe(Bid(auction, 1, 100, at, ""), key=auction, timestamp=at)
        hot = {record.key: record.value for record in driver.output_topic("out").read_all()}
    assert hot[FIRST_TIMESTAMP].bids == 2
    assert sorted(hot[FIRST_TIMESTAMP].auctions) == [1, 2]
    assert sorted(hot[FIRST_TIMESTAMP + 4_000].auctions) == [3]


def test_seller_prices_crash_open_auctions_are_closed_afterwards() -> None:
    """The processor's queue of ends is not state: it is made anew from the store."""
    app = App("bench")
    q6_seller_prices.declare(app, "auction,bid", "out")
    with TopologyTestDriver(app, commit="manual") as driver:
        auctions, bids = driver.input_topic("auction"), driver.input_topic("bid")
        for id, expires in ((1, 300), (2, 200), (3, 900)):
            auctions.pipe(Auction(id, "", "", 1, 2, 100, expires, 7, 10, ""), key=id, timestamp=100)
            bids.pipe(Bid(id, 1, 1_000 * id, 110 + id, ""), key=id, timestamp=110 + id)
        driver.commit()
        driver.restart(lose_state=True)
        bids.pipe(Bid(3, 1, 10, 301, ""), key=3, timestamp=301)
        driver.commit()
        told = [record.value.price for record in driver.output_topic("out").read_all()]
    assert told == [2_000, 1_500]


def test_generator_deals_out_kinds_and_hot_ones_by_the_rules() -> None:
    generator = Generator()
    persons, auctions, bids = (
        list(made) for made in (generator.persons(50_000), generator.auctions(50_000), generator.bids(50_000))
    )
    assert [len(persons), len(auctions), len(bids)] == [1_000, 3_000, 46_000]
    times = sorted(event.date_time for kind in (persons, auctions, bids) for event in kind)
    assert times == [FIRST_TIMESTAMP + n for n in range(50_000)]
    assert [each.id for each in auctions] == [FIRST_ID + n for n in range(3_000)]
    hot_auctions, hot_bidders, hot_sellers = (
        sum(count for id, count in Counter(ids).items() if id % 100 == place) / len(ids)
        for ids, place in (
            ([b.auction for b in bids], 0),
            ([b.bidder for b in bids], 1),
            ([a.seller for a in auctions], 0),
        )
    )
    assert hot_auctions == pytest.approx(1 / 2, abs=0.02)
    assert hot_bidders == pytest.approx(3 / 4, abs=0.02)
    assert hot_sellers == pytest.approx(3 / 4, abs=0.02)
    assert all(0 < auction.expires - auction.date_time <= 2 * 1_666 for auction in auctions)
    assert {auction.category for auction in auctions} == {10, 11, 12, 13, 14}


def test_generator_first_events_are_the_same_in_longer_runs() -> None:
    short, long = Generator(seed=3), Generator(seed=3)
    for few, many in ((short.persons(500), long.persons(5_000)), (short.bids(500), long.bids(5_000))):
        assert all(one == other for one, other in zip(few, many))
    assert list(Generator(seed=4).bids(500)) != list(short.bids(500))
