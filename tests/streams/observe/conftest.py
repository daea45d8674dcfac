"""A broker, and workers on it."""

from tests.streams.runtime.conftest import bench as bench
from tests.streams.runtime.conftest import bootstrap_servers as bootstrap_servers
