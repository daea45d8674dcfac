"""Log records on stderr; only the command line sets this up, never the library."""

from __future__ import annotations

import logging
import sys

FORMAT = "%(asctime)s %(levelname)-7s %(name)s  %(message)s"


def log_to_stderr(*, verbose: bool = False) -> None:
    """INFO and above, DEBUG with `verbose`; other libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT, datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("streams", "stores", "broker"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
