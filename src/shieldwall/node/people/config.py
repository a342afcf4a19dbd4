"""Settings of the doors."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from shieldwall.errors import UsageError
from shieldwall.store.attempts import BanRules

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""Of ID tokens. Each is named: what a token says of itself never decides, and `none` is not among them."""

_POSITIVE = (
    "idle",
    "longest",
    "confirm_within",
    "ceremony",
    "invitation",
    "longest_token",
    "wrong_codes",
    "identity_rate",
    "identity_burst",
    "stranger_rate",
    "stranger_burst",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcConfig:
    """An OpenID provider whose word is enough to come in, though never to approve, export, or change keys.

    Attributes:
        issuer: Its URL, exactly as its ID tokens say it.
        client_id: What the provider calls this node.
        redirect: URL of this node to which the provider sends people back.
        client_secret: What the node shows the provider; "" where PKCE alone is agreed on.
        algorithms: Of ID tokens, out of `ALGORITHMS`.
        leeway: Seconds by which the two clocks may differ.
    """

    issuer: str
    client_id: str
    redirect: str
    client_secret: str = field(default="", repr=False)
    algorithms: tuple[str, ...] = ALGORITHMS
    leeway: int = 60

    def __post_init__(self) -> None:
        check_url(self.issuer, "the provider's issuer")
        check_url(self.redirect, "the address to which the provider sends people back")
        unknown = set(self.algorithms) - set(ALGORITHMS)
        if unknown or not self.algorithms:
            raise UsageError(f"algorithms of ID tokens: use some of {', '.join(ALGORITHMS)}")
        if not self.client_id:
            raise UsageError(
                "an OpenID provider needs a client id", hint="the provider shows it where the node is registered"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleConfig:
    """Who may come in, and for how long; times in seconds.

    Attributes:
        host: The domain name to which passkeys are bound (the relying party's id); never an address.
        origins: The exact origins of pages that may ask for one: scheme, host and port.
        node: What the node is called where a passkey is made.
        idle: A session ends when it was not used for so long.
        longest: A session ends after so long in any case.
        confirm_within: How long a ceremony counts for approval, export, key and role changes.
        ceremony: How long a ceremony may take.
        invitation: How long a one-time link holds.
        longest_token: How far ahead a token may end.
        bans: When failures become a ban.
        wrong_codes: How many wrong recovery codes become a ban.
        identity_rate: Requests a second of one who is known.
        identity_burst: How many at once, after a rest.
        stranger_rate: Requests a second of one address from which nobody is known.
        stranger_burst: How many at once, after a rest.
        oidc: An OpenID provider; None for none.
    """

    host: str = "localhost"
    origins: tuple[str, ...] = ("http://localhost:8420",)
    node: str = "Shieldwall"
    idle: int = 15 * 60
    longest: int = 8 * 3600
    confirm_within: int = 5 * 60
    ceremony: int = 5 * 60
    invitation: int = 24 * 3600
    longest_token: int = 365 * 86_400
    bans: BanRules = field(default_factory=BanRules)
    wrong_codes: int = 5
    identity_rate: float = 50.0
    identity_burst: int = 200
    stranger_rate: float = 5.0
    stranger_burst: int = 30
    oidc: OidcConfig | None = None

    def __post_init__(self) -> None:
        if _is_address(self.host) or not self.host or self.host != self.host.lower():
            raise UsageError(
                f"{self.host!r}: passkeys need a domain name in small letters, not an address",
                hint="on this machine alone that is localhost",
            )
        if not self.origins:
            raise UsageError("no page may ask for a passkey", hint="name the origins of the node's pages")
        for origin in self.origins:
            parts = check_url(origin, "an origin")
            name = parts.hostname or ""
            if origin != f"{parts.scheme}://{parts.netloc}" or not (
                name == self.host or name.endswith("." + self.host)
            ):
                raise UsageError(f"{origin}: an origin is scheme, host and port alone, and its host is {self.host}")
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} must be more than 0")
        for name in ("failures", "window", "first", "longest"):
            if getattr(self.bans, name) <= 0:
                raise UsageError(f"bans: {name} must be more than 0")


def check_url(url: str, what: str) -> SplitResult:
    """The parts of a URL that is safe to send people or secrets to: https, or http on this machine.

    Raises:
        UsageError: It is another.
    """
    try:
        parts = urlsplit(url)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"{what} is no URL: {url!r}") from None
    here = name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)
    sound = url.isascii() and url.isprintable() and " " not in url and not parts.username and not parts.fragment
    if not sound or not name or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise UsageError(f"{what} must be an https URL: {url!r}", hint="http is for this machine alone")
    return parts


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
