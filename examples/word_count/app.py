"""How often each word was said, up to date after every sentence.

    sentences ──> words ──> group by word ──> count ──> counts
                                              [words]

    python -m examples.word_count                 a run on a speech, with its commonest words

or live, with sentences of your own:

    headrace dev examples/word_count/app.py:app
    headrace produce sentences "to be or not to be"
    headrace consume counts --value-type int
    headrace query words be
"""

from __future__ import annotations

import re

from streams import App


def words_of(sentence: str) -> list[str]:
    return re.findall(r"[a-z']+", sentence.lower())


app = App("word-count")

(
    app.stream("sentences", key=str, value=str)
    .flat_map_values(words_of)
    # The word becomes the key. A word may come from any partition, so this goes through a topic of its own, in which
    # all of a word's occurrences lie together: whoever counts it sees them all.
    .group_by(lambda _, word: word)
    .count(store="words")
    .to_stream()
    .to("counts")
)

if __name__ == "__main__":
    app.run()
