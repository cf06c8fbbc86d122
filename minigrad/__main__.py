"""The command line: `minigrad quickstart`, `minigrad doctor`; also `python -m minigrad`."""

import argparse
import sys
from contextlib import suppress

from . import __version__
from .programs.doctor import doctor
from .programs.quickstart import quickstart


def main(arguments=None):
    """Run one command; returns the exit status: 0, or 2 after an error that the user can mend."""
    parser = argparse.ArgumentParser(
        "minigrad", description="Deep learning from scratch, to be read."
    )
    parser.add_argument("--version", action="version", version=f"minigrad {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser(
        "quickstart", help="train, evaluate, save and reload a model on real digits"
    )
    command.add_argument(
        "--data", default="digits", help="digits (default), or a folder with the MNIST files"
    )
    command.add_argument(
        "--out", default="runs/quickstart", help="folder for the report (default: %(default)s)"
    )
    command.set_defaults(run=lambda options: quickstart(options.data, options.out))

    command = commands.add_parser(
        "doctor", help="what is installed, what is missing and how to get it"
    )
    command.set_defaults(run=lambda options: print(doctor()))

    options = parser.parse_args(arguments)
    with suppress(AttributeError):  # a terminal without Greek letters shows their numbers instead
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        print(f"minigrad {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
