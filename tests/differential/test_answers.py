"""The bundled broker answers scripted sessions as Apache Kafka did, but for what is explained."""

from __future__ import annotations

import pytest

from broker import Broker
from tests.differential.comparison import differences
from tests.differential.explained import MEANT
from tests.differential.play import AS_KAFKA, SCRIPTS, play, recorded


@pytest.mark.parametrize("script", SCRIPTS)
def test_session_played_on_the_broker_is_answered_as_by_apache_kafka(script: str) -> None:
    """Every field of every answer is the same, or differs for a reason that is given; no reason is out of date."""
    with Broker(config=AS_KAFKA) as broker:
        ours = play(script, broker.bootstrap_servers)
    found = list(differences(recorded(script), ours))
    unexplained = [one for one in found if not any(known.covers(script, one) for known in MEANT)]
    assert not unexplained, "\n".join(map(str, unexplained))
    outdated = [
        known for known in MEANT if known.script == script and not any(known.covers(script, one) for one in found)
    ]
    assert not outdated, "these differences no longer show, so they need no explanation"


def test_scripts_together_have_many_steps_over_all_apis_of_clients() -> None:
    """The recorded answers are not hollow: hundreds of steps, few of which are errors of the script itself."""
    steps = [step for script in SCRIPTS for step in recorded(script)]
    assert len(steps) > 1_100
