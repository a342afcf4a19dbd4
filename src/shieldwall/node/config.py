"""Where things are on this machine: one TOML file, `SHIELDWALL_*` variables over it, options of a command over both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import cast, get_args

from shieldwall.errors import UsageError
from shieldwall.kernels.engine import EngineName


@dataclass(frozen=True, slots=True)
class Config:
    """The settings.

    Attributes:
        chain: Folder of the chain store; None when nothing names one.
        data: Folder of this member's own data: tag sets, clusterings, what people said of transactions.
        directory: A further directory of who can freeze, laid over the shipped one.
        engine: Kernels: auto, plain or compiled.
        node: Folder of the node that is served and managed here; None when nothing names one.
        origins: For each setting, where its value comes from.
    """

    chain: Path | None
    data: Path
    directory: Path | None = None
    engine: EngineName = "auto"
    node: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> Path:
        """Folder of the tag sets."""
        return self.data / "tags"

    @property
    def claims(self) -> Path:
        """Folder of what people here say of facts; the node's encrypted store takes its place later."""
        return self.data / "claims"

    @property
    def clusters(self) -> Path:
        """Folder of the clusterings, one folder for each network."""
        return self.data / "clusters"


SETTINGS = tuple(entry.name for entry in fields(Config) if entry.name != "origins")
_PATHS = ("chain", "data", "directory", "node")
_ENGINES = get_args(EngineName)


def config_file(environ: Mapping[str, str]) -> Path:
    """The TOML file: `SHIELDWALL_CONFIG`, else `shieldwall/config.toml` under the user's configuration folder."""
    if environ.get("SHIELDWALL_CONFIG"):
        return Path(environ["SHIELDWALL_CONFIG"])
    return _home(environ, "XDG_CONFIG_HOME", ".config") / "shieldwall" / "config.toml"


def load(environ: Mapping[str, str], options: Mapping[str, str | None] | None = None) -> Config:
    """The settings from file, variables and options, in rising order of precedence.

    Args:
        environ: The environment's variables.
        options: What the command line says; None values say nothing.

    Raises:
        UsageError: The file is not TOML, or names a setting that does not exist.
    """
    values: dict[str, str] = {
        "data": str(_home(environ, "XDG_DATA_HOME", ".local/share") / "shieldwall"),
        "engine": "auto",
    }
    origins = dict.fromkeys(values, "default")
    path = config_file(environ)
    for name, value in _read(path).items():
        values[name], origins[name] = value, str(path)
    for name in SETTINGS:
        variable = f"SHIELDWALL_{name.upper()}"
        if environ.get(variable):
            values[name], origins[name] = environ[variable], variable
    for name, given in (options or {}).items():
        if given:
            values[name], origins[name] = given, f"--{name}"
    if values["engine"] not in _ENGINES:
        raise UsageError(f"engine {values['engine']!r} ({origins['engine']}): use one of {', '.join(_ENGINES)}")
    paths = {name: _path(values[name], origins[name]) if values.get(name) else None for name in _PATHS}
    data = paths["data"] or Path()
    engine = cast("EngineName", values["engine"])
    return Config(paths["chain"], data, paths["directory"], engine, paths["node"], origins)


def _read(path: Path) -> dict[str, str]:
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not readable as TOML ({error})") from None
    for name, value in body.items():
        if name not in SETTINGS or not isinstance(value, str):
            raise UsageError(f"{path}: {name!r} is no setting", hint=f"settings are texts: {', '.join(SETTINGS)}")
    return {name: value for name, value in body.items() if value}


def _path(text: str, origin: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{text} ({origin}): there is no such user's home") from None


def _home(environ: Mapping[str, str], variable: str, beneath: str) -> Path:
    if environ.get(variable):
        return Path(environ[variable])
    return _path(environ.get("HOME") or "~", "HOME") / beneath
