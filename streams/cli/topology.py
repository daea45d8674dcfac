"""`headrace topology`: what an application does, without running it."""

from __future__ import annotations

import click

from streams.cli.application import APP_ARGUMENT, load_app


@click.command()
@APP_ARGUMENT
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "code"]),
    default="text",
    show_default=True,
    help="text: sub-topologies, sources, operators, stores. mermaid: a diagram. code: the Python that runs.",
)
def topology(application: str, form: str) -> None:
    """Print the topology of MODULE:APP; no broker is needed.

    \b
    headrace topology app.py:app
    headrace topology app.py:app --format mermaid
    """
    from streams.render import code, describe, mermaid

    plan = load_app(application).plan()
    render = {"text": describe, "mermaid": mermaid, "code": code}[form]
    click.echo(render(plan).rstrip("\n"))
