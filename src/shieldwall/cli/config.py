"""`shieldwall config`: explain."""

from __future__ import annotations

import os

import click

from shieldwall.cli.options import chain_option, data_option, emit_rows, output_option, settings
from shieldwall.node.config import SETTINGS, config_file

_KERNELS = "beside the program, else the user's cache folder (see warm-up)"


@click.group()
def config() -> None:
    """Show the settings and where they come from."""


@config.command()
@chain_option
@data_option
@output_option
def explain(chain: str | None, data: str | None, output: str | None) -> None:
    """Show every setting, its value, and where the value comes from."""
    found = settings(chain=chain, data=data)
    rows = [
        {
            "setting": name,
            "value": "" if getattr(found, name) is None else str(getattr(found, name)),
            "from": found.origins.get(name, "not set"),
        }
        for name in SETTINGS
    ]
    rows.append(
        {"setting": "file", "value": str(config_file(os.environ)), "from": "SHIELDWALL_CONFIG or the default place"}
    )
    kept = os.environ.get("NUMBA_CACHE_DIR", "")
    rows.append({"setting": "compiled kernels", "value": kept, "from": "NUMBA_CACHE_DIR" if kept else _KERNELS})
    emit_rows(rows, ("setting", "value", "from"), output)
