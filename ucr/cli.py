"""Where `ucr-trio` and `python -m ucr.cli` begin: what needs nothing is answered before anything is loaded."""

import sys

from ucr import __version__

VERSION = f"ucr-trio, version {__version__}"


def main() -> None:
    """Run the command line of this process; `--version` alone loads neither Trio nor the commands."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{VERSION}\n")
        return
    from ucr.begun import ahead
    from ucr.loading import undisturbed

    with ahead(sys.argv[1:]) as begun:
        with undisturbed():
            from ucr.commands import main as run_commands

        run_commands(prog_name="ucr-trio", obj=begun)


if __name__ == "__main__":
    main()
