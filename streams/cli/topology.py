"""`headrace topology`: what an application does, without running it."""

from __future__ import annotations

import click

from streams.cli.application import APP_ARGUMENT, load_app


@click.command(short_help="Print the topology of an application.")
@APP_ARGUMENT
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "dot", "json", "code"]),
    default="text",
    show_default=True,
    help="text: as Kafka's describe(). mermaid, dot: diagrams. json: for programs. code: the Python that runs.",
)
def topology(application: str, form: str) -> None:
    """Print the topology of MODULE:APP; no broker is needed.

    \b
    headrace topology app.py:app
    headrace topology app.py:app --format mermaid
    headrace topology app.py:app --format dot | dot -Tsvg > topology.svg
    """
    from streams.render import code, describe, document, dot, mermaid

    plan = load_app(application).plan()
    render = {"text": describe, "mermaid": mermaid, "dot": dot, "json": document, "code": code}[form]
    click.echo(render(plan).rstrip("\n"))
