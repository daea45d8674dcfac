"""Deadlines: a pure heap of them, and the one event-loop timer that rings for the earliest."""

from broker.timers.alarm import Alarm as Alarm
from broker.timers.heap import TimerHeap as TimerHeap
