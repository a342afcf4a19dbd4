"""The commands by name; a module is loaded when its command is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from shieldwall import __version__

_COMMANDS = {
    "demo": ("shieldwall.cli.demo", "The flagship job, offline, start to finish."),
    "chain": ("shieldwall.cli.chain", "Build, follow, verify and pass on a chain store."),
    "tags": ("shieldwall.cli.tags", "Import and look up what is said of addresses."),
    "trace": ("shieldwall.cli.trace", "Where is the money now, and who can freeze it?"),
    "screen": ("shieldwall.cli.screen", "Many addresses: what is known about each?"),
    "config": ("shieldwall.cli.config", "Show the settings and where they come from."),
}


class ReaderGone(Exception):
    """The reader of a pipe, such as head, has enough; left to click, it would look like a failed check."""


class LazyGroup(click.Group):
    """Lists commands without loading them."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what a command returns
        """Run the command; a reader that is gone is no error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of a day's work."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, loaded now."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Names and help from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="shieldwall")
def shieldwall() -> None:
    """Shieldwall: follow the money, exactly, on data you hold.

    Exit codes: 0 done, 1 finding or failed check, 2 wrong usage, 3 partial data, 4 bad input.
    """
