"""What is taken out of generated code, and what is not."""

from __future__ import annotations

from textwrap import dedent

from streams.compile.source_text import Mark, SourceText
from streams.compile.tidy import tidied
from streams.demo.flight_delays import app
from streams.operators.source import Source


def tidy(body: str) -> str:
    """The body of `build` without what came to nothing."""
    text = SourceText()
    with text.block("def build(binding, processors):"):
        for line in dedent(body).strip("\n").splitlines():
            text.line(line)
    first, _, rest = tidied(text).text.partition("\n")
    assert first == "def build(binding, processors):"
    return dedent(rest)


def same(body: str) -> bool:
    return tidy(body) == dedent(body).lstrip("\n")


def test_passes_beside_statements_go() -> None:
    assert tidy("""
        def run(m):
            pass
            send(m)
            pass
        return TaskProgram(run)
    """) == dedent("""
        def run(m):
            send(m)
        return TaskProgram(run)
    """).lstrip("\n")


def test_functions_that_do_nothing_go_with_their_calls() -> None:
    assert tidy("""
        def advance():
            nonlocal time
            pass

        def run(m):
            try:
                send(m)
            except Exception as error:
                raise failed(error)
            finally:
                advance()

        return TaskProgram(run, advance=advance, other=run)
    """) == dedent("""
        def run(m):
            try:
                send(m)
            except Exception as error:
                raise failed(error)

        return TaskProgram(run, other=run)
    """).lstrip("\n")


def test_functions_that_call_only_empty_ones_go_too() -> None:
    assert tidy("""
        def inner():
            pass
        def outer():
            inner()
        def run(m):
            if m:
                outer()
            else:
                send(m)
        return TaskProgram(run)
    """) == dedent("""
        def run(m):
            if m:
                pass
            else:
                send(m)
        return TaskProgram(run)
    """).lstrip("\n")


def test_functions_that_do_nothing_stay_where_others_get_them() -> None:
    assert same("""
        def forward(key, value):
            pass
        connect(forward, {})
        forward(1, 2)
        return TaskProgram(run)
    """)


def test_a_call_beside_other_things_keeps_its_function() -> None:
    assert same("""
        def expire(now):
            pass
        def run(m):
            if m: send(m); expire(m)
            expire(1)
        return TaskProgram(run)
    """)


def test_names_that_nobody_reads_go() -> None:
    assert tidy("""
        stores = binding.stores
        get = stores['a'].get
        drop = dropping(binding.drop)
        mark = marks['a'].value
        def refresh():
            nonlocal mark
            mark = marks['a'].value
        def run(m):
            refresh()
            send(get(m))
        return TaskProgram(run)
    """) == dedent("""
        stores = binding.stores
        get = stores['a'].get
        def run(m):
            send(get(m))
        return TaskProgram(run)
    """).lstrip("\n")


def test_nonlocal_names_what_is_assigned() -> None:
    assert tidy("""
        time = -1
        mark = -1
        def run(m):
            nonlocal time, mark
            if m > mark: time = m
        return TaskProgram(run, time)
    """) == dedent("""
        time = -1
        mark = -1
        def run(m):
            nonlocal time
            if m > mark: time = m
        return TaskProgram(run, time)
    """).lstrip("\n")


def test_a_name_bound_beside_other_things_stays() -> None:
    assert same("""
        def run(m):
            if m: time = m
            first, second = m
            for index in range(3):
                send(index)
        return TaskProgram(run)
    """)


def test_blank_lines_are_never_two() -> None:
    assert tidy("a = 1\n\n\nreturn TaskProgram(a)") == "a = 1\n\nreturn TaskProgram(a)\n"


def test_lines_keep_their_marks() -> None:
    text, node = SourceText(), Source(topics=("t",))
    with text.block("def build(binding, processors):"):
        text.line("unused = 1")
        with text.block("def run(m):"):
            text.line("pass")
            with text.at(node, "production"):
                text.line("send(m)")
        text.line("return TaskProgram(run)")

    left = tidied(text)

    (place,) = [number for number, line in enumerate(left.lines, 1) if "send" in line]
    assert left.mark_of(place) == Mark(node, "production")
    assert left.mark_of(place - 1) is None


def test_code_of_a_flights_application_has_nothing_to_take_out() -> None:
    for part in app.plan().subtopologies:
        body = dedent(part.program.source.partition("\n")[2])
        assert same(body)
        assert "pass\n" not in body
