"""Warninglists in MISP's format: what is known to be harmless, or to say nothing, such as resolvers, CDNs and empty files.

A value that stands on one is told at intake, and no objects meet by it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shieldwall.errors import BadText
from shieldwall.model.strictjson import parse_json
from shieldwall.sharing.values import Value

MOST_BYTES = 64 << 20
"""How large the file of one list may be."""

_KINDS = {
    **dict.fromkeys(("ip-src", "ip-dst", "domain|ip", "ip-dst|port", "ip-src|port"), ("ip",)),
    **dict.fromkeys(("domain", "hostname"), ("domain",)),
    **dict.fromkeys(("url", "uri", "link"), ("url",)),
    **dict.fromkeys(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"), ("hash",)),
    **dict.fromkeys(("email-src", "email-dst", "email"), ("email",)),
    **dict.fromkeys(("btc", "xmr", "dash"), ("address",)),
}
"""By MISP's type of attribute, of which kinds of values a list speaks."""


@dataclass(frozen=True, slots=True)
class Warninglist:
    """A list.

    Attributes:
        name: Of it.
        form: string, substring, hostname or cidr.
        kinds: Of values.
        entries: In lower case, those of a cidr list as networks.
    """

    name: str
    form: str
    kinds: frozenset[str]
    entries: frozenset[str]
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    def has(self, value: Value) -> bool:
        """Whether a value stands on it."""
        kind, text = value
        if kind not in self.kinds:
            return False
        plain = text.lower()
        if self.form == "cidr":
            address = ipaddress.ip_address(plain) if kind == "ip" else None
            return address is not None and any(address in network for network in self.networks)
        host = plain.partition("://")[2].partition("/")[0].partition(":")[0] if kind == "url" else plain
        if self.form == "hostname":
            return any(part in self.entries or f".{part}" in self.entries for part in _parents(host))
        if self.form == "substring":
            return any(entry in plain for entry in self.entries)
        return plain in self.entries or (kind == "url" and host in self.entries)


def _parents(host: str) -> Iterable[str]:
    """A name and all names above it."""
    parts = host.split(".")
    return (".".join(parts[place:]) for place in range(len(parts)))


def read_warninglist(raw: bytes, place: str) -> Warninglist:
    """A list.

    Raises:
        BadText: It is none; one of regular expressions is refused, since a pattern from outside may take for ever.
    """
    body = parse_json(raw, place, floats=True)
    entries, forms = body.get("list") if isinstance(body, dict) else None, ("string", "substring", "hostname", "cidr")
    if not isinstance(entries, list) or not all(isinstance(each, str) for each in entries):
        raise BadText(f"{place}: not a warninglist", hint='it has a "list" of texts')
    form = body.get("type", "string")
    if form not in forms:
        raise BadText(f"{place}: lists of type {str(form)[:20]!r} are not read", hint=f"one of {', '.join(forms)}")
    matching = body.get("matching_attributes", [])
    if not isinstance(matching, list):
        raise BadText(f"{place}: matching_attributes is no list")
    kinds = {kind for each in matching if isinstance(each, str) for kind in _KINDS.get(each, ())}
    networks = []
    if form == "cidr":
        for each in entries:
            try:
                networks.append(ipaddress.ip_network(each, strict=False))
            except ValueError:
                raise BadText(f"{place}: {each[:60]!r} is no network") from None
    name = str(body.get("name") or place)[:200]
    return Warninglist(name, form, frozenset(kinds), frozenset(each.lower() for each in entries), tuple(networks))


class Warninglists:
    """Several lists, asked as one."""

    def __init__(self, lists: Iterable[Warninglist] = ()) -> None:
        self.lists = tuple(lists)
        self._known: dict[Value, tuple[str, ...]] = {}

    @classmethod
    def in_folder(cls, folder: Path) -> Warninglists:
        """Those of a folder, in the order of their files' names; none where there is no folder.

        Raises:
            BadText: A file is none; it is named.
        """
        found = []
        for path in sorted(folder.glob("*.json")):
            if path.stat().st_size > MOST_BYTES:
                raise BadText(f"{path}: larger than {MOST_BYTES:,} bytes")
            found.append(read_warninglist(path.read_bytes(), str(path)))
        return cls(found)

    def naming(self, value: Value) -> tuple[str, ...]:
        """The names of the lists on which a value stands."""
        if not self.lists:
            return ()
        found = self._known.get(value)
        if found is None:
            found = tuple(each.name for each in self.lists if each.has(value))
            if len(self._known) < 100_000:
                self._known[value] = found
        return found


NO_LISTS = Warninglists()
