"""Types and messages of the tests of serdes with schemas."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pydantic
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from streams.serde import Digits


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Card(msgspec.Struct, tag=True):
    number: str


class Cash(msgspec.Struct, tag=True):
    number: str


class Line(pydantic.BaseModel):
    sku: str
    price: Decimal = pydantic.Field(max_digits=12, decimal_places=2)
    kind: Literal["new", "used"] = "new"


@dataclasses.dataclass
class Place:
    city: str
    zip_code: str | None = None


class Order(msgspec.Struct):
    id: int
    at: datetime
    day: date
    amount: Annotated[Decimal, Digits(18, 2)]
    key: UUID
    lines: list[Line]
    tags: dict[str, float]
    paid: Card | Cash
    place: Place
    previous: Order | None = None
    colour: Colour = Colour.BLUE
    level: Level = Level.LOW
    when: time | None = None
    names: set[str] = msgspec.field(default_factory=set)
    raw: bytes = b""
    note: str = msgspec.field(name="remark", default="")


class Small(msgspec.Struct, frozen=True):
    id: int
    name: str | None = None


def message_classes() -> dict[str, Any]:
    """What protoc would have made of shop.proto, which imports money.proto."""
    money = descriptor_pb2.FileDescriptorProto(name="money.proto", package="shop", syntax="proto3")
    money.message_type.add(name="Money").field.add(name="cents", number=1, type=3, label=1)
    shop = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    shop.dependency.append("money.proto")
    shop.message_type.add(name="Customer").field.add(name="name", number=1, type=9, label=1)
    bill = shop.message_type.add(name="Bill")
    bill.field.add(name="id", number=1, type=3, label=1)
    bill.field.add(name="total", number=2, type=11, label=1, type_name=".shop.Money")
    bill.nested_type.add(name="Line").field.add(name="sku", number=1, type=9, label=1)
    pool = descriptor_pool.DescriptorPool()
    for file in (money, shop):
        pool.Add(file)
    names = ("shop.Customer", "shop.Bill", "shop.Bill.Line", "shop.Money")
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names}


MESSAGES = message_classes()
Customer, Bill, BillLine, Money = MESSAGES.values()
