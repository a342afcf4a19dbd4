"""What a TAXII client asks: path, media types and parameters of a request, each held to what the standard says of it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from shieldwall.errors import BadText
from shieldwall.sharing.stix.instant import read_instant
from shieldwall.sharing.stix.object import SPEC_VERSIONS
from shieldwall.store.served import Asked
from shieldwall.web.taxii.answers import MEDIA_TYPE, Refusal

LIMIT, MOST = 1000, 10_000
"""Objects of a page, where the client does not say, and at most."""

LONGEST_QUERY = 16_384  # characters
_MOST_VALUES = 1000  # of one filter
_SINGLE = ("limit", "next", "added_after")
_FILTERS = ("match[id]", "match[type]", "match[version]", "match[spec_version]")
_INTEGER = re.compile(r"[0-9]{1,9}", re.ASCII)
_STIX = "application/stix+json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came.

    Attributes:
        method: GET, POST or DELETE.
        path: Parts of the path; a slash at its end counts for nothing.
        query: Of the address, as text.
        headers: By lower-case name.
        client: Address of whoever asks.
        base: Scheme and host as the client wrote them.
        certificate: SHA-256 (hex) of the client's certificate, which TLS has checked; "" for none.
    """

    method: str
    path: tuple[str, ...]
    query: str
    headers: Mapping[str, str]
    client: str
    base: str
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that is asked for.

    Attributes:
        asked: Which objects.
        limit: How many at most.
        fingerprint: Of everything that must stay the same from page to page.
    """

    asked: Asked
    limit: int
    fingerprint: str

    def next(self, last: int) -> str:
        """What asks for the page behind an object that was added at a moment: the same whenever and by whichever server."""
        return base64.urlsafe_b64encode(f"{last}.{self.fingerprint}".encode()).decode().rstrip("=")


def must_accept(request: Request, *, manifest: bool = False) -> None:
    """Refuse a client that would not take what is answered (sections 1.6.8 and 3.4).

    Raises:
        Refusal: 406.
    """
    stated = request.headers.get("accept", "*/*")
    if not any(_is_taken(each, manifest=manifest) for each in stated.split(",")):
        raise Refusal(406, "that media type is not answered here", f"accept {MEDIA_TYPE}")


def must_send(request: Request) -> None:
    """Refuse a body of another media type.

    Raises:
        Refusal: 415.
    """
    name, parameters = _media(request.headers.get("content-type", ""))
    if name != "application/taxii+json" or parameters.get("version", "2.1") != "2.1":
        raise Refusal(415, "that media type is not taken here", f"send {MEDIA_TYPE}")


def wanted(request: Request, *, filters: Iterable[str] = _FILTERS, fixed: Asked | None = None) -> Wanted:
    """The page that a request asks for.

    Args:
        request: The request.
        filters: Which of the filters count here; others are passed over (section 3.5).
        fixed: What the path says already.

    Raises:
        Refusal: 400, for a parameter that is none, stands twice, or changed from page to page.
    """
    values = _parameters(request.query)
    read = {name: text for name, text in values.items() if name in (*_SINGLE, *filters)}
    asked = fixed or Asked()
    for name, text in read.items():
        reader = _READERS.get(name)
        if reader is not None:
            asked = reader(asked, text)
    stable = sorted((name, text) for name, text in read.items() if name not in ("limit", "next"))
    named = "\n".join(["/".join(request.path), *(f"{name}={text}" for name, text in stable)])
    fingerprint = hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    if "next" in read:
        asked = replace(asked, after=_cursor(read["next"], fingerprint))
    return Wanted(asked, _limit(read["limit"]) if "limit" in read else LIMIT, fingerprint)


def _parameters(query: str) -> dict[str, str]:
    if len(query) > LONGEST_QUERY:
        raise Refusal(414, f"a query here has at most {LONGEST_QUERY:,} characters")
    found: dict[str, str] = {}
    for name, text in parse_qsl(query, keep_blank_values=True, errors="replace"):
        if name in found and (name in _SINGLE or name.startswith("match[")):
            raise Refusal(400, f"the parameter {name[:40]} stands twice", "put several values in one, with commas")
        found[name] = text
    return found


def _limit(text: str) -> int:
    if not _INTEGER.fullmatch(text) or int(text) < 1:
        raise Refusal(400, f"limit={text[:20]} is no positive whole number")
    return min(int(text), MOST)


def _cursor(text: str, fingerprint: str) -> int:
    try:
        last, _, found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(".")
        moment = int(last)
    except ValueError:
        raise Refusal(400, "next is not what this server gave", "begin again without it") from None
    if found != fingerprint or not -(1 << 62) < moment < 1 << 62:
        raise Refusal(400, "the filters changed from page to page", "send next with the filters of the first page")
    return moment


def _instant(text: str, name: str) -> int:
    try:
        return read_instant(text.strip(), name)
    except BadText as error:
        raise Refusal(400, error.message, error.hint) from None


def _values(text: str, name: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(each.strip() for each in text.split(",")))
    if not all(found) or len(found) > _MOST_VALUES:
        raise Refusal(400, f"{name} has an empty value, or more than {_MOST_VALUES:,}")
    return found


def _versions(asked: Asked, text: str) -> Asked:
    found = _values(text, "match[version]")
    if "all" in found:
        if len(found) > 1:
            raise Refusal(400, "match[version]=all stands alone", "leave the other versions out")
        return replace(asked, every=True)
    words = {"first", "last"}
    moments = tuple(_instant(each, "match[version]") for each in found if each not in words)
    return replace(asked, newest="last" in found, oldest="first" in found, versions=moments, every=False)


def _specs(asked: Asked, text: str) -> Asked:
    found = _values(text, "match[spec_version]")
    if any(not re.fullmatch(r"[0-9]+\.[0-9]+", each) for each in found):
        raise Refusal(400, "match[spec_version] has versions such as 2.1")
    return replace(asked, specs=tuple(each for each in found if each in SPEC_VERSIONS) or ("none",))


_READERS: Mapping[str, Callable[[Asked, str], Asked]] = {
    "added_after": lambda asked, text: replace(asked, after=_instant(text, "added_after")),
    "match[id]": lambda asked, text: replace(asked, ids=_values(text, "match[id]")),
    "match[type]": lambda asked, text: replace(asked, types=_values(text, "match[type]")),
    "match[version]": _versions,
    "match[spec_version]": _specs,
}


def _media(text: str) -> tuple[str, dict[str, str]]:
    name, *rest = text.split(";")
    parameters: dict[str, str] = {}
    for each in rest:
        key, _, value = each.partition("=")
        parameters[key.strip().lower()] = value.strip().strip('"')
    return name.strip().lower(), parameters


def _is_taken(stated: str, *, manifest: bool) -> bool:
    name, parameters = _media(stated)
    quality = parameters.get("q", "1")
    if re.fullmatch(r"0(\.0*)?", quality):
        return False
    if name in ("*/*", "application/*"):
        return True
    if name == "application/taxii+json" or (manifest and name == _STIX):
        return parameters.get("version", "2.1") == "2.1"
    return False
