"""What a running application lets people see."""

from streams.observe.counters import COUNTER_HELP as COUNTER_HELP
from streams.observe.counters import Counters as Counters
from streams.observe.counters import add_up as add_up
from streams.observe.meter import Meter as Meter
from streams.observe.producer_times import ProducerTimes as ProducerTimes
from streams.observe.task_meters import InputMeters as InputMeters
from streams.observe.task_meters import TaskMeters as TaskMeters
from streams.observe.thread_meters import ThreadMeters as ThreadMeters
