"""Changes that wait for the commit: each key's last one is forwarded then, its old value the one last forwarded.

Source: `CachingKeyValueStore` and `NamedCache` for what comes out, and in which order.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from streams.compile.chain import CHANGED_BY, Chain, HeldChanges
from streams.compile.scope import RecordScope
from streams.compile.source_text import SourceText
from streams.operators.table import Table

Present = Callable[[Chain, str], str]
"""Writes code that makes the value users see of the one in a local; returns its text."""


class Held(Struct, frozen=True):
    """How a table's changes are told apart while they wait.

    `names`: the locals that the key of a change is taken apart into; `scope`: what gives a record its key of these;
    `present`: for a store whose rows hold something else than what users see.
    """

    names: str
    scope: Callable[[Chain, RecordScope], RecordScope]
    present: Present | None = None


def by_key(present: Present | None) -> Held:
    """Changes told apart by their serialised keys."""
    return Held("kb", lambda chain, scope: replace(scope, key_bytes="kb", key_not_null=True), present)


def write_held(chain: Chain, table: Table, scope: RecordScope, held: Held, *, key: str, before: str, now: str) -> None:
    """Code that holds back the change of `key` from the row in the local `before` to the one in the local `now`."""
    changed, earlier = _changes(chain, table, held), chain.local("earlier")
    # taken out and put in again: changes come out in the order of each key's last one
    chain.line(f"{earlier} = {changed}.pop({key}, None)")
    first = f"{before} if {earlier} is None else {earlier}[0]"
    chain.line(f"{changed}[{key}] = ({first}, {now}, {scope.timestamp}, {scope.headers}, {scope.message})")


def _changes(chain: Chain, table: Table, held: Held) -> str:
    """The dict of changes that wait: key -> (row as last forwarded, row as it is, timestamp, headers and message of
    the record that changed it last). Writes, once, the function that forwards them."""
    module = chain.module
    assert table.store is not None
    known = module.held_changes.get(table.store.name)
    if known is not None:
        return known.changed
    changed, function = chain.of_task("changed", "{}"), module.namespace.fresh("forward_changes")
    module.held_changes[table.store.name] = HeldChanges(changed, function)
    text = SourceText()
    body = Chain(module, text)
    changed_by = module.states.get(CHANGED_BY)
    if changed_by is None:
        changed_by = module.states[CHANGED_BY] = chain.cell("changed_by", "None")
    before, now, value = body.local("before"), body.local("after"), body.local("value")
    with text.at(table), text.block(f"def {function}():"):
        text.line("#nonlocal")
        with text.block(f"for {held.names}, ({before}, {now}, ts, headers, m) in {changed}.items():"):
            text.line(f"{changed_by} = m")
            with text.block(f"if {now} is None:"):
                with text.block(f"if {before} is None:"):
                    text.line("continue  # came and went between two commits")
                text.line(f"{value} = None")
            with text.block("else:"):
                text.line(f"{value}, ts = {now}")
                _write_presented(body, value, held.present)
            old: str | None = None
            if table.sends_old:
                old = body.local("old")
                with text.block(f"if {before} is None:"):
                    text.line(f"{old} = None")
                with text.block("else:"):
                    text.line(f"{old} = {before}[0]")
                    _write_presented(body, old, held.present)
            change = RecordScope(schema=table.schema, timestamp="ts", headers="headers", value=value, old_value=old)
            body.forward(table, held.scope(body, change))
        text.line(f"{changed}.clear()")
    text.line()
    module.functions.append(text)
    return changed


def _write_presented(chain: Chain, value: str, present: Present | None) -> None:
    if present is not None and (text := present(chain, value)) != value:
        chain.line(f"{value} = {text}")
