"""The Faust application with one worker, which is killed, and another one that reads its tables back."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import Broker
from tests.foreign.faust_application import Tally, play, some_orders


@pytest.mark.timeout(300)
def test_faust_application_counts_right_over_the_death_of_its_worker(tmp_path: Path) -> None:
    orders = some_orders(300)
    with Broker() as broker:
        assert play(broker.bootstrap_servers, tmp_path, orders, together=1) == Tally.of(orders)
