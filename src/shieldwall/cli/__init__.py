"""The command line: words in, words out. Nothing is decided here; commands load only what they need.

Example:
    `shieldwall demo` runs the flagship job; `shieldwall --help` lists the rest::

        from shieldwall.cli import main

        main(["chain", "info", "--chain", "chain", "-o", "json"])

What it does not know: anything that a Python caller would not get, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from shieldwall.errors import ShieldwallError

INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code: 0 done, 1 finding, 2 usage, 3 partial data, 4 bad input."""
    sys.exit(run(words))


def run(words: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    import click  # noqa: PLC0415

    from shieldwall.cli.lazy import ReaderGone  # noqa: PLC0415
    from shieldwall.cli.root import shieldwall  # noqa: PLC0415

    try:
        answer = shieldwall.main(list(words) if words is not None else None, "shieldwall", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("stopped; what was committed stands, and the same call goes on from there", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except ShieldwallError as error:
        print(f"shieldwall: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, MemoryError) as error:
        print(f"shieldwall: {str(error) or type(error).__name__}", file=sys.stderr)  # noqa: T201
        return 4
    return answer if isinstance(answer, int) else 0
