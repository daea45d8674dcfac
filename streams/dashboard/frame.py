"""What the event stream sends: everything to whoever begins to watch, then what has changed since the second before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

TASKS = "tasks"

Fields = dict[str, msgspec.Raw]
"""A worker's figures by name, each as JSON; those of its tasks are apart."""

read_fields = msgspec.json.Decoder(Fields).decode


class WorkerFrame(msgspec.Struct, frozen=True):
    """A worker at one moment, as far as it has to be compared with the next."""

    fields: Fields
    tasks: Fields

    @classmethod
    def of(cls, body: bytes) -> WorkerFrame:
        """From `WorkerFigures` as JSON, of this process or another. Raises msgspec.DecodeError."""
        fields = read_fields(body)
        tasks = fields.pop(TASKS, None)
        return cls(fields, {} if tasks is None else read_fields(tasks))

    def whole(self) -> dict[str, Any]:
        return {**self.fields, TASKS: self.tasks}

    def since(self, before: WorkerFrame | None) -> dict[str, Any]:
        """What differs, and the tasks that are `gone`.

        Everything, and that it is told `anew`, where other things are known of the worker than before: of one that
        cannot be reached any more, or can be again.
        """
        if before is None or before.fields.keys() != self.fields.keys():
            return {**self.whole(), "anew": True}
        changed: dict[str, Any] = changes(before.fields, self.fields)
        changed[TASKS] = changes(before.tasks, self.tasks)
        gone = [task for task in before.tasks if task not in self.tasks]
        return {**changed, "gone": gone} if gone else changed


class Frame(msgspec.Struct, frozen=True):
    """All workers of the application at one moment: `at`, ms since the epoch."""

    at: int
    workers: Mapping[str, WorkerFrame]

    def whole(self, about: Mapping[str, Any]) -> bytes:
        """For a watcher who has seen nothing yet; `about` says what never changes."""
        workers = {name: worker.whole() for name, worker in self.workers.items()}
        return event("whole", {"at": self.at, **about, "workers": workers})

    def since(self, before: Frame) -> bytes:
        """For those who have seen `before`; the workers that are `left` are gone."""
        workers = {name: worker.since(before.workers.get(name)) for name, worker in self.workers.items()}
        left = [name for name in before.workers if name not in self.workers]
        return event("change", {"at": self.at, "workers": workers, "left": left})


def changes(before: Fields, after: Fields) -> Fields:
    return {name: value for name, value in after.items() if before.get(name) != value}


def event(name: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
