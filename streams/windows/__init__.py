"""The kinds of windows: which windows a record of some time falls into, and when they are closed."""

from streams.windows.aligned import AlignedWindows as AlignedWindows
from streams.windows.calendar_windows import CalendarWindows as CalendarWindows
from streams.windows.calendar_windows import calendar as calendar
from streams.windows.join_windows import JoinWindows as JoinWindows
from streams.windows.join_windows import join_window as join_window
from streams.windows.session_windows import SessionWindows as SessionWindows
from streams.windows.session_windows import session as session
from streams.windows.sliding_windows import SlidingWindows as SlidingWindows
from streams.windows.sliding_windows import sliding as sliding
from streams.windows.time_windows import TimeWindows as TimeWindows
from streams.windows.time_windows import hopping as hopping
from streams.windows.time_windows import tumbling as tumbling
from streams.windows.unlimited_windows import UnlimitedWindows as UnlimitedWindows
from streams.windows.unlimited_windows import unlimited as unlimited

Windows = AlignedWindows | SlidingWindows | SessionWindows
"""What `windowed_by` takes."""
