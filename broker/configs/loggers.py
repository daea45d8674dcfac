"""Levels of the broker's Python loggers under Kafka's names for levels (KIP-412). Not durable, as in Kafka.

`root` is the logger above all of the broker's; a host program that runs a broker in a thread keeps its own root.
"""

from __future__ import annotations

import logging

ROOT = "root"
BROKER = "broker"
TRACE = 5
LEVELS = {
    "TRACE": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
}


def logger_levels() -> dict[str, str]:
    """The level that counts, by name, in order: `root`, and each logger of the broker."""
    levels = {ROOT: level_name(logging.getLogger(BROKER))}
    for name, logger in sorted(logging.root.manager.loggerDict.items()):
        if name.startswith(f"{BROKER}.") and isinstance(logger, logging.Logger):
            levels[name] = level_name(logger)
    return levels


def level_name(logger: logging.Logger) -> str:
    """Kafka's name of the nearest level that is not above."""
    effective = logger.getEffectiveLevel()
    return next((name for name, level in reversed(LEVELS.items()) if level <= effective), "TRACE")


def exists(name: str) -> bool:
    return name == ROOT or (
        name.startswith(f"{BROKER}.") and isinstance(logging.root.manager.loggerDict.get(name), logging.Logger)
    )


def set_level(name: str, level: str | None) -> None:
    """None: as the logger above it. Raises KeyError for a level there is not."""
    logger = logging.getLogger(BROKER if name == ROOT else name)
    logger.setLevel(logging.NOTSET if level is None else LEVELS[level])
