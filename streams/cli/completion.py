"""`headrace completion`: what makes a shell complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    headrace completion bash >> ~/.bashrc
    headrace completion zsh >> ~/.zshrc
    headrace completion fish > ~/.config/fish/completions/headrace.fish
    """
    from streams.cli.main import main

    script = get_completion_class(shell)
    assert script is not None, "click knows these shells"
    click.echo(script(main, {}, "headrace", "_HEADRACE_COMPLETE").source())
