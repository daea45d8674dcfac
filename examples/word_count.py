"""How often each word was said: flat map, re-key, count.

headrace dev examples/word_count.py:app
headrace produce sentences "to be or not to be"
headrace consume counts --value-type int
"""

from __future__ import annotations

from streams import App

app = App("word-count")

(
    app.stream("sentences", key=str, value=str)
    .flat_map_values(lambda sentence: sentence.lower().split())
    .group_by(lambda _key, word: word)
    .count(store="words")
    .to_stream()
    .to("counts")
)

if __name__ == "__main__":
    app.run()
