"""The settings of a node: `node.toml` in its folder, `SHIELDWALL_NODE_*` variables over it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from shieldwall.errors import UsageError
from shieldwall.model.marking import Marking, parse_marking

FILE = "node.toml"
PREFIX = "SHIELDWALL_NODE_"
_LARGEST = 1 << 20  # bytes of the file


@dataclass(frozen=True, slots=True, kw_only=True)
class MailConfig:
    """Where mail is handed in: the table `[mail]`.

    Attributes:
        host: The mail server.
        port: Its port.
        sender: The address that mail comes from.
        starttls: Whether the connection must be encrypted.
        user: To sign in with; "" for none.
        password_file: File that holds the password; None for none.
        highest: The highest marking that mail may carry; above it, mail says only that there is something.
    """

    host: str
    sender: str
    port: int = 587
    starttls: bool = True
    user: str = ""
    password_file: Path | None = None
    highest: Marking = Marking.CLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig:
    """An endpoint that alarms are posted to: a table `[[webhook]]`.

    Attributes:
        url: Where.
        highest: The highest marking that it may carry.
        allow_private: Whether its host may have a private or loopback address.
    """

    url: str
    highest: Marking = Marking.CLEAR
    allow_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSettings:
    """How people sign in: the table `[people]`.

    Attributes:
        invitation_hours: How long a one-time link holds.
        idle_minutes: A session ends when nothing was asked for so long.
        session_hours: A session ends after so long in any case.
        confirm_minutes: How old the last passkey ceremony may be for approval, export, key and role changes.
    """

    invitation_hours: int = 24
    idle_minutes: int = 15
    session_hours: int = 8
    confirm_minutes: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcConfig:
    """An OpenID provider: the table `[oidc]`.

    Attributes:
        issuer: Its issuer URL.
        client_id: The node's name there.
        client_secret_file: File that holds the client's secret; None for a public client.
    """

    issuer: str
    client_id: str
    client_secret_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxiiConfig:
    """The door of partners: the table `[taxii]`. It speaks TLS alone, on this machine too.

    Attributes:
        tls_certificate: File of the certificate chain, PEM.
        tls_key: File of its key, PEM.
        listen: The address that it listens on.
        port: Its port.
        client_ca: File of the authorities whose certificates partners may come in by, PEM; None where they come in by secrets.
    """

    tls_certificate: Path
    tls_key: Path
    listen: str = "127.0.0.1"
    port: int = 8421
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """The settings of a node. Relative paths are under its folder.

    Attributes:
        name: What people call it.
        host: The domain name in its address, which passkeys are bound to.
        listen: The address that it listens on; beyond loopback it needs TLS.
        port: Its port.
        tls_certificate: File of the certificate chain, PEM; None for none.
        tls_key: File of its key, PEM.
        database: Path of the SQLite file, or a postgresql:// URL.
        chain: Folder of the chain store; None for none.
        further_chains: Folders of chain stores of other networks.
        sources: Folders and rpc:// URLs that chain stores may be built from.
        audit_roots: File that signed roots of the audit log are appended to; best on another machine's disk.
        roots_every_leaves: A root is signed when the log grew by so many leaves,
        roots_every_minutes: or when the last one is so old and the log grew.
        workers: Threads for background work.
        people: How people sign in.
        oidc: An OpenID provider; None for none.
        mail: Where mail is handed in; None for nowhere.
        webhook: Endpoints that alarms are posted to.
        taxii: The door of partners; None for none.
        origins: For each setting, where its value comes from.
    """

    name: str = "shieldwall"
    host: str = "localhost"
    listen: str = "127.0.0.1"
    port: int = 8420
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    database: str = "node.db"
    chain: Path | None = None
    further_chains: tuple[Path, ...] = ()
    sources: tuple[str, ...] = ()
    audit_roots: Path = Path("audit-roots.jsonl")
    roots_every_leaves: int = 1000
    roots_every_minutes: int = 15
    workers: int = 1
    people: PeopleSettings = PeopleSettings()
    oidc: OidcConfig | None = None
    mail: MailConfig | None = None
    webhook: tuple[WebhookConfig, ...] = ()
    taxii: TaxiiConfig | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The address that a browser shows, as in http://localhost:8420."""
        scheme, usual = ("https", 443) if self.tls_certificate else ("http", 80)
        return f"{scheme}://{self.host}" + ("" if self.port == usual else f":{self.port}")


def load_node(folder: Path, environ: Mapping[str, str]) -> NodeConfig:
    """The settings of the node in `folder`.

    Raises:
        UsageError: The file is not TOML, a setting does not exist, or a value does not fit.
    """
    path = folder / FILE
    body = _read(path)
    values: dict[str, Any] = {}
    origins = {entry.name: "default" for entry in fields(NodeConfig) if entry.name != "origins"}
    for name, value in body.items():
        if name not in origins:
            raise UsageError(f"{path}: {name!r} is no setting of a node", hint=f"settings are: {', '.join(origins)}")
        values[name] = (
            _table(name, value, folder, str(path)) if name in _TABLES else _plain(name, value, folder, str(path))
        )
        origins[name] = str(path)
    for name in origins:
        variable = PREFIX + name.upper()
        if name not in _TABLES and environ.get(variable):
            values[name], origins[name] = _from_text(name, environ[variable], folder, variable), variable
    config = NodeConfig(**{"audit_roots": folder / "audit-roots.jsonl", **values}, origins=origins)
    return _fitting(config, str(path))


def node_toml(values: Mapping[str, Any]) -> str:
    """The text of a new `node.toml` with these settings; the rest stands there as comments.

    Args:
        values: Texts, numbers and booleans by name; a mapping is a table.
    """
    lines = ["# Settings of this node; `shieldwall node status` shows them with their origins.", ""]
    lines += [f"{name} = {_toml(value)}" for name, value in values.items() if not isinstance(value, Mapping)]
    lines += [f"# {name} = {_toml(value)}" for name, value in _SHOWN.items() if name not in values]
    for name, table in values.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join([*lines, "", *_EXAMPLES, ""])


def explain(config: NodeConfig) -> list[dict[str, str]]:
    """Each setting, its value and where that comes from; no password among them."""
    rows = []
    for name, origin in config.origins.items():
        value = getattr(config, name)
        if name == "database":
            value = without_password(value)
        elif name == "webhook":
            value = f"{len(value)} endpoints"  # their URLs may carry a secret
        elif isinstance(value, tuple):
            value = ", ".join(str(each) for each in value)
        elif isinstance(value, OidcConfig):
            value = value.issuer
        elif isinstance(value, TaxiiConfig):
            value = f"{value.listen}:{value.port}"
        elif isinstance(value, MailConfig):
            value = f"{value.host}:{value.port}"
        elif isinstance(value, PeopleSettings):
            value = ", ".join(f"{entry.name} {getattr(value, entry.name)}" for entry in fields(value))
        rows.append({"setting": name, "value": "" if value is None else str(value), "from": origin})
    return rows


def without_password(database: str) -> str:
    """A database's place as it may be shown."""
    if "://" not in database:
        return database
    parts = urlsplit(database)
    place = parts.netloc.rpartition("@")
    user = place[0].split(":", 1)[0]
    return f"{parts.scheme}://{user + '@' if user else ''}{place[2]}{parts.path}"


def is_server(database: str) -> bool:
    """Whether a database's place is the URL of a PostgreSQL server."""
    return database.startswith(("postgresql://", "postgres://"))


_SHOWN: Mapping[str, Any] = {
    "name": "shieldwall",
    "host": "localhost",
    "listen": "127.0.0.1",
    "port": 8420,
    "tls_certificate": "certificate.pem",
    "tls_key": "key.pem",
    "database": "node.db",
    "chain": "chain",
    "further_chains": [],
    "sources": [],
    "audit_roots": "audit-roots.jsonl",
}
_EXAMPLES = (
    "# [mail]",
    '# host = "mail.example.org"',
    '# sender = "node@example.org"',
    '# highest = "TLP:CLEAR"',
    "#",
    "# [[webhook]]",
    '# url = "https://example.org/alarm"',
    '# highest = "TLP:CLEAR"',
    "#",
    "# [taxii]",
    '# tls_certificate = "certificate.pem"',
    '# tls_key = "key.pem"',
    "# port = 8421",
)
_TABLES: Mapping[str, type] = {
    "people": PeopleSettings,
    "oidc": OidcConfig,
    "mail": MailConfig,
    "webhook": WebhookConfig,
    "taxii": TaxiiConfig,
}
_BOUNDS = {
    "port": (1, 65_535),
    "roots_every_leaves": (1, 1_000_000),
    "roots_every_minutes": (1, 1440),
    "workers": (1, 64),
    "invitation_hours": (1, 24 * 14),
    "idle_minutes": (1, 24 * 60),
    "session_hours": (1, 24 * 7),
    "confirm_minutes": (1, 60),
}
_Table = TypeVar("_Table")


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path}: larger than {_LARGEST} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"{path.parent}: that is no node's folder", hint="make a node: shieldwall node init DIR"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not readable as TOML ({error})") from None


def _plain(name: str, value: Any, folder: Path, origin: str) -> Any:  # noqa: ANN401 - as TOML gives it
    """A value as its setting needs it."""
    if name in _BOUNDS:
        low, high = _BOUNDS[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UsageError(f"{name} ({origin}): a whole number from {low} to {high} is needed")
        return value
    if name in {"starttls", "allow_private"}:
        if not isinstance(value, bool):
            raise UsageError(f"{name} ({origin}): true or false is needed")
        return value
    if name in _LISTS:
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise UsageError(f"{name} ({origin}): a list of texts is needed")
        return tuple(value) if name == "sources" else _folders(name, value, folder, origin)
    if not isinstance(value, str) or "\x00" in value:
        raise UsageError(f"{name} ({origin}): a text is needed")
    if name == "highest":
        return parse_marking(value)
    if name in _PATHS:
        return _path(name, value, folder, origin)
    return value


_LISTS = ("sources", "further_chains")
_PATHS = frozenset(
    ("tls_certificate", "tls_key", "chain", "audit_roots", "password_file", "client_secret_file", "client_ca")
)


def _path(name: str, value: str, folder: Path, origin: str) -> Path | None:
    if not value and name == "audit_roots":
        raise UsageError(f"{name} ({origin}): a file's name is needed")
    try:
        return folder / Path(value).expanduser() if value else None
    except RuntimeError:
        raise UsageError(f"{name} ({origin}): there is no such user's home") from None


def _folders(name: str, values: list[str], folder: Path, origin: str) -> tuple[Path, ...]:
    paths = tuple(_path(name, value, folder, origin) for value in values if "\x00" not in value)
    if len(paths) < len(values) or None in paths:
        raise UsageError(f"{name} ({origin}): each is the name of a folder")
    return tuple(path for path in paths if path is not None)


def _from_text(name: str, text: str, folder: Path, origin: str) -> Any:  # noqa: ANN401 - of the setting's type
    """The value that a variable writes."""
    if name in _BOUNDS:
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise UsageError(f"{name} ({origin}): a whole number is needed")
        return _plain(name, int(text), folder, origin)
    if name in _LISTS:
        return _plain(name, text.split(":"), folder, origin)
    return _plain(name, text, folder, origin)


def _table(name: str, value: Any, folder: Path, origin: str) -> Any:  # noqa: ANN401 - one of the tables
    if name != "webhook":
        return _record(_TABLES[name], name, value, folder, origin)
    if not isinstance(value, list):
        raise UsageError(f"{origin}: write [[webhook]] with two brackets: there may be several")
    return tuple(_record(WebhookConfig, name, entry, folder, origin) for entry in value)


def _record(kind: Callable[..., _Table], name: str, value: Any, folder: Path, origin: str) -> _Table:  # noqa: ANN401
    if not isinstance(value, dict):
        raise UsageError(f"{origin}: {name} is a table: write [{name}]")
    known = {entry.name: entry for entry in fields(_TABLES[name])}
    for key in value:
        if key not in known:
            raise UsageError(f"{origin}: {key!r} is no setting of [{name}]", hint=f"settings are: {', '.join(known)}")
    for key, entry in known.items():
        if entry.default is MISSING and not value.get(key):
            raise UsageError(f"{origin}: [{name}] needs {key}")
    return kind(**{key: _plain(key, given, folder, origin) for key, given in value.items()})


def _fitting(config: NodeConfig, origin: str) -> NodeConfig:
    """The settings, where they fit each other."""
    if not config.host or not set(config.host) <= _HOST or config.host.replace(".", "").isdigit() or ":" in config.host:
        raise UsageError(
            f"host ({config.origins['host']}): {config.host[:80]!r} is no domain name",
            hint="passkeys are bound to a name, not to an address: localhost, or node.example.org",
        )
    if (config.tls_certificate is None) != (config.tls_key is None):
        raise UsageError(f"{origin}: tls_certificate and tls_key go together")
    if not config.name.strip() or len(config.name) > 100 or not config.name.isprintable():
        raise UsageError(f"{origin}: name is a text of 1 to 100 characters")
    if config.further_chains and config.chain is None:
        raise UsageError(
            f"further_chains ({config.origins['further_chains']}): the first chain store has to be named by `chain`"
        )
    folders = [each for each in (config.chain, *config.further_chains) if each is not None]
    if len(set(folders)) < len(folders):
        raise UsageError(f"further_chains ({config.origins['further_chains']}): one folder is named twice")
    if not config.database or not _is_place(config.database):
        raise UsageError(f"{origin}: database is a file's name or a postgresql:// URL")
    return config


def _is_place(database: str) -> bool:
    """Whether a database's place can be taken apart, so that its password can be kept out of sight."""
    try:
        without_password(database)
    except ValueError:
        return False
    return True


_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


def _toml(value: Any) -> str:  # noqa: ANN401 - texts, numbers, booleans, lists of them
    """A value as TOML; JSON's strings, numbers, booleans and lists of them are TOML as well (TOML 1.0, strings)."""
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=True)
