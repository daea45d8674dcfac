"""Internal topics that somebody else made, or changed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from confluent_kafka.admin import NewTopic

from streams import App, StreamsError
from streams.runtime.topic_configs import config_faults
from tests.streams.runtime.bench import Bench


@pytest.mark.parametrize(
    ("wanted", "found", "faults"),
    [
        ({"cleanup.policy": "compact"}, {"cleanup.policy": "compact"}, {}),
        ({"cleanup.policy": "compact"}, {"cleanup.policy": "delete"}, {"cleanup.policy": "compact"}),
        ({"cleanup.policy": "compact"}, {"cleanup.policy": "compact,delete"}, {"cleanup.policy": "compact"}),
        ({"cleanup.policy": "compact,delete"}, {"cleanup.policy": "delete, compact"}, {}),
        ({"cleanup.policy": "delete"}, {"cleanup.policy": "compact"}, {"cleanup.policy": "delete"}),
        ({"retention.ms": "-1"}, {"retention.ms": "604800000"}, {"retention.ms": "-1"}),
        ({"min.compaction.lag.ms": "5"}, {"min.compaction.lag.ms": "4"}, {"min.compaction.lag.ms": "5"}),
        ({"min.compaction.lag.ms": "5"}, {"min.compaction.lag.ms": "6"}, {}),
        ({"segment.bytes": "1"}, {"segment.bytes": "2"}, {}),
        ({"cleanup.policy": "compact"}, {}, {}),
    ],
)
def test_config_that_would_lose_something_is_found(
    wanted: Mapping[str, str], found: Mapping[str, str], faults: Mapping[str, str]
) -> None:
    assert config_faults(wanted, found) == faults


def test_changelog_that_forgets_is_told_with_the_command_that_mends_it(bench: Bench) -> None:
    bench.topics(**{"in": 1})
    changelog = f"{bench.tag}-n-changelog"
    [made] = bench.admin.create_topics([NewTopic(changelog, 1, config={"cleanup.policy": "delete"})]).values()
    made.result(10)
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="n")
    error = bench.run_in_group(app).failure()
    assert isinstance(error, StreamsError)
    assert f"headrace configs set topic {changelog} cleanup.policy=compact" in str(error)
