"""`shieldwall warm-up`: compile every kernel now, so that no answer waits for it later."""

from __future__ import annotations

from time import perf_counter

import click

from shieldwall.cli.options import Progress, emit_record, output_option
from shieldwall.errors import UsageError
from shieldwall.kernels.warm import MODULES, NoCacheFolder, cache_folder
from shieldwall.kernels.warm import warm_up as warm_kernels


@click.command("warm-up")
@output_option
def warm_up(output: str | None) -> None:
    """Compile every kernel and keep it, so that no later command waits for the compiler: once a machine and version.

    Kernels are kept in the folder that the variable NUMBA_CACHE_DIR names, else beside the program where that can be
    written, else in the user's cache folder. Once they are there, this takes a second or two.
    """
    begin = perf_counter()
    try:
        folder = cache_folder()
    except NoCacheFolder as error:
        named = (
            f"{error} (NUMBA_CACHE_DIR)" if str(error) else "neither the program's folder nor the user's cache folder"
        )
        raise UsageError(
            f"compiled kernels cannot be kept: {named} cannot be written",
            hint="set NUMBA_CACHE_DIR to a folder that this user can write, and for every later command too",
        ) from None
    progress = Progress()
    kernels = compiled = 0
    try:
        for done, name in enumerate(MODULES):
            progress(f"compiling kernels: {name}", done, len(MODULES))
            (warmed,) = warm_kernels((name,))
            kernels += warmed.kernels
            compiled += warmed.compiled
    finally:
        progress.end()
    seconds = round(perf_counter() - begin, 1)
    emit_record({"cache": str(folder), "kernels": kernels, "compiled": compiled, "seconds": seconds}, output)
