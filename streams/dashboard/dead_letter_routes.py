"""The dead letters page: records that could not be processed, what went wrong, and another try."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool

from streams.cluster.letter import Letter, LetterFilter
from streams.cluster.letters import (
    READ_COMMITTED,
    by_goal,
    foreign_letters,
    foreign_text,
    lost_letters,
    lost_text,
    read_letters,
)
from streams.cluster.sending import send_records
from streams.dashboard.cluster_access import ClusterAccess, asking
from streams.dashboard.known_topics import KnownTopic, topics_of
from streams.dashboard.record_view import Part, header_text, reader
from streams.dashboard.writes import WrongField, json_body, read_only_because, writer
from streams.query.problem import Absent, NotReady
from streams.query.subject import Subject

NEWEST = 2_000
"""Of each partition of the topic so many of the newest letters are looked at."""
LISTED = 500
KINDS = 20
"""Of errors; those that most letters have."""
PLACE = re.compile(r"(\d+):(\d+)")


class Resubmission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`places`: the letters that are meant, as `partition:offset`."""

    places: tuple[str, ...]


def dead_letter_routes(subject: Subject, cluster: ClusterAccess) -> APIRouter:
    """`/dead-letters` and what is below it."""
    router = APIRouter()

    @router.get("/dead-letters")
    def letters(topic: str = "") -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """The newest letters of a topic, by default that of the application's settings; `topic` null: it has none."""
        named = topic or subject.options.dead_letter_topic
        told: dict[str, Any] = {
            "topic": named,
            "configured": subject.options.dead_letter_topic,
            "read_only": read_only_because(subject.options),
        }
        if named is None:
            return told | {"letters": [], "more": False, "exceptions": []}
        with asking(cluster):
            found = letters_on(cluster, named, LetterFilter(), newest=NEWEST)
        found.sort(key=lambda letter: (letter.timestamp, letter.partition, letter.offset), reverse=True)
        kinds, known = Counter(letter.exception for letter in found), topics_of(subject)
        return told | {
            "letters": [letter_row(letter, known) for letter in found[:LISTED]],
            "more": len(found) > LISTED,
            "exceptions": [{"exception": name, "letters": number} for name, number in kinds.most_common(KINDS)],
        }

    @router.get("/dead-letters/{topic}/{partition}/{offset}")
    def letter(topic: str, partition: int, offset: int) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        with asking(cluster):
            found = letters_on(cluster, topic, LetterFilter(places=frozenset({(partition, offset)})))
        if not found:
            raise Absent(f"{topic} has no dead letter at {partition}:{offset}")
        return whole_letter(found[0], topics_of(subject))

    @router.post("/dead-letters/{topic}/resubmit", dependencies=[Depends(writer(subject.options))])
    async def resubmit(topic: str, request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        wanted = await json_body(request, Resubmission)
        return {"sent": await run_in_threadpool(resubmitted, cluster, topic, wanted, sources_of(subject))}

    return router


def letters_on(cluster: ClusterAccess, topic: str, wanted: LetterFilter, *, newest: int | None = None) -> list[Letter]:
    client = cluster.consumer(**READ_COMMITTED)
    try:
        return read_letters(client, topic, wanted, newest=newest)
    finally:
        client.close()


def sources_of(subject: Subject) -> Sequence[str]:
    """The topics that letters are sent back to. Raises NotReady: it is not known yet which those are."""
    if subject.partitions is None:
        raise NotReady("starting", "the worker is still looking up the application's topics")
    return subject.partitions.plan.source_topics()


def resubmitted(cluster: ClusterAccess, topic: str, wanted: Resubmission, sources: Sequence[str]) -> dict[str, int]:
    """Topic -> records that were sent there again, as they were. The letters stay.

    Raises WrongField: a place is none, or has no letter that says it came from one of `sources`. Nothing was sent
    then.
    """
    places = frozenset(place_of(text) for text in wanted.places)
    if not places:
        raise WrongField("places", "choose the letters that are to be sent again")
    with asking(cluster):
        letters = letters_on(cluster, topic, LetterFilter(places=places))
        missing = places - {(letter.partition, letter.offset) for letter in letters}
        if missing:
            partition, offset = min(missing)
            raise WrongField("places", f"{topic} has no dead letter at {partition}:{offset} any more")
        lost = lost_letters(letters)
        if lost:
            raise WrongField("places", lost_text(topic, lost))
        foreign = foreign_letters(letters, sources)
        if foreign:
            raise WrongField(
                "places",
                f"{foreign_text(topic, foreign, 'this application does not read')} (it reads {', '.join(sources)}). "
                f"Whoever can write to {topic} can have a letter name any topic; if it is meant, "
                "`headrace dead-letters resubmit` sends the letters of the topic you name with --source",
            )
        client = cluster.producer()
        return {
            goal: send_records(client, goal, [letter.again(partition=True) for letter in group])
            for goal, group in by_goal(letters, None)
        }


def place_of(text: str) -> tuple[int, int]:
    found = PLACE.fullmatch(text)
    if found is None:
        raise WrongField("places", f"{text!r} is no place: write partition:offset")
    return int(found[1]), int(found[2])


def letter_row(letter: Letter, known: Mapping[str, KnownTopic], longest: int | None = 200) -> dict[str, Any]:
    key, _ = parts_of(letter, known)
    return {
        "partition": letter.partition,
        "offset": letter.offset,
        "timestamp": letter.timestamp,
        "source": letter.source,
        "source_partition": letter.source_partition,
        "source_offset": letter.source_offset,
        "exception": letter.exception,
        "message": letter.message[:longest],
        "key": key.body(longest),
    }


def whole_letter(letter: Letter, known: Mapping[str, KnownTopic]) -> dict[str, Any]:
    key, value = parts_of(letter, known)
    return letter_row(letter, known, None) | {
        "key": key.body(None),
        "value": value.body(None),
        "headers": [[name, None if data is None else header_text(data)] for name, data in letter.headers],
        "stacktrace": letter.stacktrace,
    }


def parts_of(letter: Letter, known: Mapping[str, KnownTopic]) -> tuple[Part, Part]:
    """Key and value by the serdes of the topic that the record came from."""
    topic = known.get(letter.source or "")
    return reader(topic.key if topic else None)(letter.key), reader(topic.value if topic else None)(letter.value)
