"""What a running application lets people see."""

from streams.observe.counters import COUNTER_HELP as COUNTER_HELP
from streams.observe.counters import Counters as Counters
from streams.observe.counters import add_up as add_up
