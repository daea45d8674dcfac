"""How a command fails: one clear line on stderr and an exit code of 1 (failure), 2 (usage), 3 (the application was
ended) or 130 (Ctrl-C)."""

from __future__ import annotations

import logging
import sys
from typing import IO, Any

import click

from streams.cli.logs import logs_json
from streams.cluster.clients import kafka_message

INTERRUPTED = 130
APPLICATION_ENDED = 3
"""The exit code of a worker after which none of the application's is to be started again."""


class CommandFailed(click.ClickException):
    """A failure a person can act on. The message is shown as `Error: …`; the exit code is 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        if logs_json():
            logging.getLogger("headrace").error("%s", self.format_message())
        else:
            super().show(file)


class UsageFailed(click.UsageError):
    """A wrong argument that only turned out to be wrong while the command ran. The exit code is 2."""


class SuggestingGroup(click.Group):
    """A group of commands that knows what a misspelt one was meant to be."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}; did you mean {near[0]!r}?", ctx) from None


class ReportingGroup(SuggestingGroup):
    """Turns the errors that headrace raises on purpose into one line, and Ctrl-C into exit code 130.

    Anything else is a defect and keeps its traceback.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except ImportError as error:
            from streams.cli.checkup.foreign_packages import foreign_packages

            for finding in foreign_packages():  # they may be why
                raise CommandFailed(f"{finding.text}: {finding.cure}") from error
            raise
        except Exception as error:
            message = explained(error)
            if message is None:
                raise
            failed = CommandFailed(message)
            if type(error).__name__ == "ApplicationShutdownError":  # its module is not loaded for this
                failed.exit_code = APPLICATION_ENDED
            raise failed from error


def explained(error: Exception) -> str | None:
    """The message for an error that is not a defect; None for one that is.

    The error classes are looked up among the modules that are loaded: what was raised has been imported.
    """
    for module, name in (
        ("streams.errors", "StreamsError"),
        ("broker.errors", "BrokerError"),
        ("stores.errors", "StoreError"),
    ):
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return str(error)
    kafka = getattr(sys.modules.get("confluent_kafka"), "KafkaException", None)
    if kafka is not None and isinstance(error, kafka):
        return kafka_message(error)
    return None
