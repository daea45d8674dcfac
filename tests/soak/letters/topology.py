"""The application of the letters flow: records that do not decode, functions that raise, results that do not encode.
Its workers run it as `tests.soak.letters.topology:app`.

    posts ──► count per user ──► posts-counted         whatever happens below
          └─► their parts ──► halve ──► per remainder (a repartition) ──► halves-counted
                                   └──► labels
"""

from __future__ import annotations

from typing import Any

import msgspec

from streams import App, Json

PARTITIONS = 4
REMAINDERS = 7
DEAD = "posts-dead"


class Post(msgspec.Struct, frozen=True):
    """`n`: its number among all; `parts`: each becomes a record of its own."""

    n: int
    parts: list[int]


class OddPartError(Exception):
    """A part that is not to be halved."""


def halve(part: int) -> int:
    if part % 2:
        raise OddPartError(f"{part} is odd")
    return part // 2


def label(half: int) -> Any:
    """A text, or what is none."""
    return f"half-{half}" if half % 5 else half


app = App(
    "soak-letters",
    deserialization_handler="dead_letter",
    processing_handler="dead_letter",
    production_handler="dead_letter",
    dead_letter_topic=DEAD,
)
posts = app.stream("posts", key=str, value=Post)
posts.group_by_key().count(store="posts-per-user").to_stream().to("posts-counted", value=Json())
halves = posts.flat_map_values(lambda post: post.parts).map_values(halve, name="halve")
remainders = halves.group_by(lambda key, half: str(half % REMAINDERS), name="by-remainder", value=Json())
remainders.count(store="halves-per-remainder").to_stream().to("halves-counted", value=Json())
halves.map_values(label, name="label").to("labels", value=str)
