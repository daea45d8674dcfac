"""The logical graph's node: one operator of a topology, frozen.

A node names its parents; nothing names its children, so a graph grows by adding nodes and never by changing one.
Each operator is a subclass in a file of its own under `streams.operators`, which holds its meaning and its code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec import Struct, field

from streams.errors import SourceLine
from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.graph.schema import Schema
from streams.serde import Serde

OldValues = Literal["ignored", "needed", "welcome"]

if TYPE_CHECKING:
    from stores import StoreSpec
    from streams.compile.chain import Chain
    from streams.compile.scope import RecordScope


class Node(Struct, frozen=True, kw_only=True, eq=False):
    """One operator.

    `parents` in the order of the operator's inputs; `schema` is what it forwards; `label` is the operator's name in
    renderings and errors, given by the naming pass where the user gave none.
    """

    kind: ClassVar[str] = "node"
    changes_key: ClassVar[bool] = False
    needs_key: ClassVar[bool] = False
    """Works key by key, so that its input has to be partitioned by that key."""
    calls_children: ClassVar[bool] = False
    """Reaches its children by name: several of them are generated functions of their own."""
    called_by_key_bytes: ClassVar[bool] = False
    """Is always a generated function of its own, which gets the key serialised: several places forward to it, many
    records with one key."""
    in_flight: ClassVar[bool] = False
    """Takes records and lets them out later, when somebody else has done something with them: others come in
    meanwhile, and what follows must not get ahead of it."""
    result_rule: ClassVar[str | None] = None
    """What the user's function has to return, as errors say it, where its result is taken apart."""
    takes_late: ClassVar[bool] = False
    """Hears the records that were too late for its parent, not the parent's results."""

    parents: tuple[Node, ...] = ()
    schema: Schema = field(default_factory=Schema)
    origin: SourceLine | None = None
    label: str = ""

    @property
    def store(self) -> StoreSpec | None:
        """The state store the operator keeps, if any."""
        return None

    @property
    def store_key_serde(self) -> Serde:
        """How the keys of its store are written."""
        return self.schema.key_serde()

    @property
    def connected_stores(self) -> tuple[str, ...]:
        """The names of the stores it uses but does not keep; all who use a store are in one sub-topology."""
        return ()

    @property
    def hold_back_ms(self) -> int:
        """How much older than the operator's clock a record may be that it releases late, ms."""
        return 0

    @property
    def emits(self) -> bool:
        """Whether records come out: false for sinks and actions."""
        return True

    @property
    def heard_parents(self) -> tuple[Node, ...]:
        """The parents whose records the operator reacts to; a join's table side is only looked into."""
        return self.parents

    @property
    def looks_into(self) -> tuple[Node, ...]:
        """The tables among the parents whose rows the operator looks up by the record's key."""
        return ()

    @property
    def old_values(self) -> OldValues:
        """What the operator does with old values of the tables it hears: nothing, it cannot do without them, or it
        takes them where they can be had without a store more."""
        return "ignored"

    @property
    def hears_old(self) -> bool:
        """Whether the records that reach the operator tell the value they replace."""
        return False

    @property
    def hears_latest(self) -> bool:
        """Whether the records that reach the operator tell if they are the latest versions of their keys."""
        return False

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions on `F` among the operator's own fields, so that they can be checked against its input."""
        held = (getattr(self, name) for name in self.__struct_fields__)
        return tuple(
            each.target for each in held if isinstance(each, UserFunction) and isinstance(each.target, Expression)
        )

    @property
    def read_schema(self) -> Schema:
        """Key and value as the operator's functions and expressions see them."""
        return self.parents[0].schema if self.parents else self.schema

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        """Writes the code that handles one record which `parent` forwarded, and what follows it."""
        raise TypeError(f"{type(self).__name__} has no code of its own")
