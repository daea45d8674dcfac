"""Counts the words of a speech: `python -m examples.word_count`."""

from __future__ import annotations

from examples.playground import Playground
from examples.word_count.app import app
from examples.word_count.data import events


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, partitions=4, bootstrap_servers=bootstrap_servers) as playground:
        sentences = playground.feed(events())
        seconds = playground.run()
        with app.store("words").all() as rows:
            counts = {word: row.value for word, row in rows}
    print(f"{sentences} sentences, {sum(counts.values())} words, {len(counts)} of them different, in {seconds:.1f} s")
    print("the commonest:")
    for word, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:10]:
        print(f"  {word:12}{count:3}  {'▇' * count}")


if __name__ == "__main__":
    main()
