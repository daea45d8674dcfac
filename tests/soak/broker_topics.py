"""Topics that several clients of the broker's soak share."""

from __future__ import annotations

OUT, PLAIN, IN = "out", "plain", "in"
PARTITIONS = 4
"""Of the first two."""
WORKERS = 2
"""Each has a partition of the third."""
SHARED = {OUT: PARTITIONS, PLAIN: PARTITIONS, IN: WORKERS}
"""Name → partitions."""
