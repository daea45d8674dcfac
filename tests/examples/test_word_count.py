"""Words of a speech, counted."""

from __future__ import annotations

from collections import Counter

import pytest

from examples.word_count.__main__ import main
from examples.word_count.app import app
from examples.word_count.data import SPEECH, events
from tests.examples.conftest import Drive


def word_counts() -> Counter[str]:
    """By taking the punctuation away, where the example looks for letters."""
    return Counter(SPEECH.lower().translate(str.maketrans(",.-", "   ")).split())


def test_counts_are_those_of_the_speech(drive: Drive) -> None:
    """The Gettysburg Address has 272 words in all, and 13 times `that`."""
    driver = drive(app, events())
    counts = {word: count for word, (count, _) in driver.rows("words").items()}
    assert counts == word_counts()
    assert (sum(counts.values()), counts["that"]) == (272, 13)
    assert driver.output_topic("counts").read_table() == counts


def test_every_occurrence_gives_the_new_count_of_its_word(drive: Drive) -> None:
    """Updates, not results."""
    driver = drive(app, [])
    driver.input_topic("sentences").pipe("To be, or not to be")
    updates = [(record.key, record.value) for record in driver.output_topic("counts").read_all()]
    assert updates == [("to", 1), ("be", 1), ("or", 1), ("not", 1), ("to", 2), ("be", 2)]


def test_run_on_a_broker_tells_the_counts(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From four partitions."""
    main(bootstrap_servers)
    first, _, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith(f"10 sentences, 272 words, {len(word_counts())} of them different, in ")
    told = {word: int(count) for word, count, _ in map(str.split, lines)}
    assert len(told) == 10
    assert all(word_counts()[word] == count for word, count in told.items())
