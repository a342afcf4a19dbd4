"""Remarks for the person at the terminal, on standard error."""

from __future__ import annotations

import click

from shieldwall.trace.printable import printable


def tell(line: str) -> None:
    """One remark, fit to be shown."""
    click.echo(printable(line), err=True)
