"""Groups of commands whose modules are loaded when a command is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class ReaderGone(Exception):
    """The reader of a pipe, such as head, has enough; left to click, it would look like a failed check."""


class LazyGroup(click.Group):
    """Lists commands without loading them.

    Args:
        commands_by_name: Command -> (module, what it does in a line), in the order of a day's work; the function in the module
            is called like the command, with `_` for `-`, and with `_` behind a name that Python has taken.
        kwargs: As `click.Group` takes them.
    """

    def __init__(self, *, commands_by_name: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self._by_name = commands_by_name

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what a command returns
        """Run the command; a reader that is gone is no error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of the table."""
        return list(self._by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, loaded now."""
        if cmd_name not in self._by_name:
            return None
        module = importlib.import_module(self._by_name[cmd_name][0])
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(module, name if hasattr(module, name) else f"{name}_")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Names and help from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._by_name.items()])
