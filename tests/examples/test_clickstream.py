"""Clicks beside global tables."""

from __future__ import annotations

from collections import defaultdict

import pytest

from examples.clickstream.__main__ import main
from examples.clickstream.app import EnrichedClick, app
from examples.clickstream.data import CAMPAIGNS, PRODUCTS, clicks, events
from tests.examples.conftest import Drive


def enriched() -> list[tuple[str, EnrichedClick]]:
    """By looking into two dicts."""
    found: list[tuple[str, EnrichedClick]] = []
    for event in clicks():
        product, campaign = PRODUCTS.get(event.value.product), CAMPAIGNS.get(event.value.campaign)
        if product is not None:
            came = (campaign.name, campaign.channel) if campaign else ("no campaign", "direct")
            click = EnrichedClick(event.value.action, product.name, product.category, product.cents, *came)
            found.append((event.key, click))
    return found


def results() -> dict[str, tuple[int, int, int]]:
    """Clicks, carts and cents of each campaign."""
    found: dict[str, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for _, click in enriched():
        number, carts, cents = found[click.campaign]
        bought = click.action == "cart"
        found[click.campaign] = number + 1, carts + bought, cents + (click.cents if bought else 0)
    return found


def test_clicks_come_out_with_what_they_mean(drive: Drive) -> None:
    """In their order and under their key; those on a product that is gone do not."""
    driver = drive(app, events())
    found = [(record.key, record.value) for record in driver.output_topic("enriched-clicks").read_all()]
    assert found == enriched()
    assert 0 < len(found) < len(clicks())


def test_campaigns_add_up(drive: Drive) -> None:
    """Clicks without a campaign, and with one that nobody knows, are one group."""
    driver = drive(app, events())
    rows = driver.output_topic("campaign-results").read_table()
    assert {name: (row.clicks, row.carts, row.cents) for name, row in rows.items()} == results()
    assert set(rows) == {"no campaign", *(campaign.name for campaign in CAMPAIGNS.values())}


def test_run_on_a_broker_tells_the_campaigns(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From three partitions; the tables are read by the worker before its first click."""
    main(bootstrap_servers)
    first, *lines = capsys.readouterr().out.splitlines()
    assert f"{len(clicks()):,} clicks, {len(enriched()):,} on products that are there, in " in first
    told = {line[2:14].strip(): line[14:].split() for line in lines[6:]}
    assert told == {
        name: [str(number), str(carts), f"{cents / 100:,.2f}", f"{cents / number / 100:.2f}"]
        for name, (number, carts, cents) in results().items()
    }
