"""`F` and the expressions written with it."""

from streams.expressions.collection import collected as collected
from streams.expressions.expression import Expression as Expression
from streams.expressions.names import Constants as Constants
from streams.expressions.names import RecordNames as RecordNames
from streams.expressions.record import F as F
from streams.expressions.record import RecordFields as RecordFields
