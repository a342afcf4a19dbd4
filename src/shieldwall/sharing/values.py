"""What an object says of the world, as plain values: by these objects meet, whoever wrote them and in whatever form.

An address in a pattern, an observable and a wallet of another platform are one value; so are the names and aliases of a group
in ATT&CK and in a galaxy. Words that say nothing (levels of TLP, single letters, private networks) are no values, since half of
all objects would meet by them (MISP#3142, #7396).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shieldwall.model.recognition import recognize
from shieldwall.sharing.money import address_of

Value = tuple[str, str]
"""Its kind, and the value in its normal form."""

MOST = 256
"""Values of one object; further ones are passed over."""

_LONGEST = 2048  # characters
_LONGEST_PATTERN = 16 << 10  # characters that are looked into
COMPARISON = re.compile(
    r"(?<![a-z0-9-])([a-z0-9-]{1,250}+):([A-Za-z0-9_.'\"\-]{1,100}+)\s{0,4}+=\s{0,4}+'((?:[^'\\]|\\.){0,512}+)'"
)
"""What a pattern compares for equality: type, path, and the value as it is quoted. Every part has an end."""

_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}", re.ASCII)
_CVE = re.compile(r"CVE-\d{4}-\d{4,9}", re.ASCII | re.IGNORECASE)
_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?", re.ASCII)
_WORDLESS = re.compile(r"[\W_]+")
_SHORTEST_NAME = 3  # letters and digits
_NAMED = {
    "intrusion-set": "group",
    "threat-actor": "group",
    "campaign": "campaign",
    "malware": "malware",
    "tool": "malware",  # one source's tool is another one's malware
}
"""By type of object, what its names are names of."""

_PLAIN = {
    "ipv4-addr": "ip",
    "ipv6-addr": "ip",
    "domain-name": "domain",
    "url": "url",
    "email-addr": "email",
    "mutex": "mutex",
}
_SAME_AS_DOMAIN = ("hostname",)


def values_of(body: Mapping[str, Any]) -> frozenset[Value]:
    """The values of an object, at most `MOST` of them.

    Example:
        >>> sorted(values_of({"type": "indicator", "pattern": "[ipv4-addr:value = '9.9.9.9']"}))
        [('ip', '9.9.9.9')]
        >>> sorted(values_of({"type": "malware", "name": "Lock Bit", "aliases": ["LockBit"]}))
        [('malware', 'lockbit')]
    """
    found: set[Value] = set()
    for kind, text in _values(body):
        value = normal(kind, text)
        if value is not None:
            found.add(value)
        if len(found) >= MOST:
            break
    return frozenset(found)


def normal(kind: str, text: str) -> Value | None:
    """A value in its normal form; None for what is none, or says nothing.

    Args:
        kind: ip, domain, url, email, hash, mutex, address, transaction, vulnerability, technique, group, campaign, malware, or
            ref: what a sighting or an opinion is about.
        text: As somebody wrote it.
    """
    text = text.strip()
    if not 0 < len(text) <= _LONGEST:
        return None
    if kind == "ip":
        try:
            address = ipaddress.ip_address(text.split("/")[0])
        except ValueError:
            return None
        return (kind, address.compressed) if address.is_global else None
    if kind in ("domain", *_SAME_AS_DOMAIN):
        plain = text.rstrip(".").lower()
        return ("domain", plain) if "." in plain and " " not in plain else None
    if kind == "hash":
        plain = text.lower()
        return (kind, plain) if _HASH.fullmatch(plain) else None
    if kind == "email":
        return (kind, text.lower()) if "@" in text else None
    if kind in ("group", "campaign", "malware"):
        plain = _WORDLESS.sub("", text.casefold())
        return (kind, plain) if len(plain) >= _SHORTEST_NAME else None
    if kind == "vulnerability":
        return (kind, text.upper()) if _CVE.fullmatch(text) else None
    if kind == "technique":
        return (kind, text) if _TECHNIQUE.fullmatch(text) else None
    return kind, text


def word_values(word: str) -> frozenset[Value]:
    """Every value that a word may be, for a search."""
    found = {normal(kind, word) for kind in ("ip", "domain", "hash", "email", "group", "campaign", "malware")}
    found |= {normal(kind, word) for kind in ("vulnerability", "technique", "transaction")}
    found |= {("url", word)} if "://" in word else set()
    recognised = recognize(word)
    found.add(("address", recognised[0] if recognised else word))
    return frozenset(value for value in found if value is not None)


def _values(body: Mapping[str, Any]) -> Iterator[Value]:
    kind = str(body.get("type"))
    if kind in _PLAIN and isinstance(body.get("value", body.get("name")), str):
        yield _PLAIN[kind], str(body.get("value", body.get("name")))
    address = address_of(body)
    if address is not None:
        yield "address", address.name
    if kind == "blockchain-transaction" and isinstance(body.get("txid"), str):
        yield "transaction", body["txid"]
    if kind in ("file", "artifact", "x509-certificate") and isinstance(body.get("hashes"), Mapping):
        yield from (("hash", text) for text in body["hashes"].values() if isinstance(text, str))
    if kind == "indicator" and body.get("pattern_type", "stix") == "stix" and isinstance(body.get("pattern"), str):
        yield from _of_pattern(body["pattern"])
    if kind in _NAMED:
        yield from ((_NAMED[kind], name) for name in names_of(body))
    if kind == "vulnerability" and isinstance(body.get("name"), str):
        yield "vulnerability", body["name"]
    if kind == "sighting":
        yield "ref", str(body.get("sighting_of_ref"))
    if kind == "opinion" and isinstance(body.get("object_refs"), list):
        yield from (("ref", str(ref)) for ref in body["object_refs"])
    references = body.get("external_references")
    for each in references if isinstance(references, list) else ():
        text = each.get("external_id") if isinstance(each, Mapping) else None
        if isinstance(text, str) and kind == "attack-pattern":
            yield "technique", text
        elif isinstance(text, str):
            yield "vulnerability", text


def names_of(body: Mapping[str, Any]) -> list[str]:
    """The names of an object: its own first, then its aliases as STIX, ATT&CK and galaxies have them; each once."""
    found = [body.get("name")]
    for name in ("aliases", "x_mitre_aliases"):
        several = body.get(name)
        found += several if isinstance(several, list) else []
    return list(dict.fromkeys(each for each in found if isinstance(each, str)))


def _of_pattern(pattern: str) -> Iterator[Value]:
    """What a pattern compares with, where that is plain equality."""
    for kind, path, quoted in COMPARISON.findall(pattern[:_LONGEST_PATTERN]):
        text = re.sub(r"\\(.)", r"\1", quoted)
        if kind in _PLAIN and path in ("value", "name"):
            yield _PLAIN[kind], text
        elif "hashes" in path:
            yield "hash", text
        elif kind in ("cryptocurrency-wallet", "x-cryptocurrency-wallet", "blockchain-address"):
            recognised = recognize(text)
            yield "address", recognised[0] if recognised else text
        elif kind == "blockchain-transaction":
            yield "transaction", text
