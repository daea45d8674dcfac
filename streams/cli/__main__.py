"""`python -m streams.cli`: the `headrace` command without its script, as child processes are started."""

import sys


def run() -> None:
    # kio imports hypothesis where it is installed, for a test tool of its own: 0.3 s, and a directory left behind.
    sys.modules.setdefault("hypothesis", None)  # pyright: ignore[reportArgumentType]
    from streams.cli.main import main

    main(prog_name="headrace")


if __name__ == "__main__":
    run()
