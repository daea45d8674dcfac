"""What `headrace doctor` looks at: the environment, the settings, the disk, the log."""

from streams.cli.checkup.environment import check_environment
from streams.cli.checkup.finding import Finding
from streams.cli.checkup.foreign_packages import foreign_packages
from streams.cli.checkup.log import check_log
from streams.cli.checkup.partitioning import check_partitioning
from streams.cli.checkup.settings import check_settings, check_state_directory

__all__ = [
    "Finding",
    "check_environment",
    "check_log",
    "check_partitioning",
    "check_settings",
    "check_state_directory",
    "foreign_packages",
]
