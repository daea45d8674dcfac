"""How a process is set up that is the broker's own."""

from __future__ import annotations

import contextlib

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
"""glibc's numbers for `mallopt`."""
LARGEST_KEPT = 33_554_432
KEPT_BYTES = 67_108_864


def raise_open_files() -> None:
    """A partition holds a file open, and the usual limit of 1,024 files is soon met."""
    try:
        import resource
    except ImportError:
        return  # no such limit here
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def keep_freed_memory() -> None:
    """Has the allocator keep what answers to fetches were read into, for the next ones.

    glibc gives blocks of that size back to the system at once and gets them anew, and the pages of new ones are cleared
    and mapped one by one: that was half of what a fetch costs. Where there is another allocator, nothing happens.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(MMAP_THRESHOLD, LARGEST_KEPT)
    mallopt(TRIM_THRESHOLD, KEPT_BYTES)
