"""The cleaner's process: `python -P -m broker.compaction.child`.

In: a line of JSON for each pass (`Cleaning`), and an empty line when a replacement was put in place. Out: a line of
JSON for each step. It ends when its stdin is closed.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from broker.compaction.clean import Orphaned, clean
from broker.compaction.cleaning import Cleaning
from broker.log.aborted import AbortedTransaction
from broker.protocol.batches import CorruptBatchError

NICENESS = 10
"""The broker and its clients come first."""


def main() -> int:
    os.nice(NICENESS)
    for line in sys.stdin:
        fields = json.loads(line)
        fields["segments"] = tuple((base, size) for base, size in fields["segments"])
        fields["last_markers"] = tuple((producer_id, epoch) for producer_id, epoch in fields["last_markers"])
        fields["aborted"] = tuple(AbortedTransaction(*one) for one in fields["aborted"])
        try:
            steps = clean(Cleaning(**fields))
            try:
                while True:
                    tell("replacement", asdict(next(steps)))
                    if not sys.stdin.readline():
                        return 0
            except StopIteration as end:
                tell("outcome", asdict(end.value))
        except CorruptBatchError as error:
            tell("corrupt", {"message": str(error)})
        except OSError as error:
            tell("failed", {"errno": error.errno, "message": str(error)})
        except Orphaned:
            return 0
    return 0


def tell(kind: str, fields: dict[str, object]) -> None:
    print(json.dumps({"kind": kind, **fields}), flush=True)


if __name__ == "__main__":
    try:
        code = main()
    except BrokenPipeError:
        code = 0  # the broker has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)
