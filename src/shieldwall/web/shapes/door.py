"""Shapes of the door: ceremonies, sessions, passkeys, tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shieldwall.web.shapes.base import Id, Name, RoleWord, ScopeWord, Shape, Tlp


class Credential(Shape):
    """What a ceremony with a passkey answers: the challenge it belongs to, and the credential as the browser gives it."""

    challenge: Id
    credential: dict[str, Any]
    name: Annotated[str, StringConstraints(max_length=100)] = ""


class Ceremony(Shape):
    """What a browser needs for a ceremony with a passkey: give `options` to `navigator.credentials`."""

    challenge: Id
    options: dict[str, Any]


class RegistrationAsked(Shape):
    """A one-time link's secret, and, where the link needs one, a code of the authenticator application."""

    secret: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: Annotated[str, StringConstraints(pattern=r"^([0-9]{6})?$")] = ""


class CodeAsked(Shape):
    """A code of the authenticator application that is being set up."""

    enrolment: Id
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class SignedIn(Shape):
    """Who is signed in, and until when."""

    person: Id
    name: str
    node: str
    roles: list[RoleWord]
    permissions: list[str]
    highest: Tlp
    groups: list[Id]
    kind: Literal["person", "token"]
    expires: str = ""
    confirmed: str = ""


class PasskeyShape(Shape):
    """A passkey of whoever asks."""

    id: str
    name: str
    created: str
    used: str = ""


class Passkeys(Shape):
    """The passkeys of whoever asks."""

    passkeys: list[PasskeyShape]


class RecoveryCode(Shape):
    """The secret for an authenticator application, shown once, in base32 and as a URI for a picture to scan."""

    enrolment: Id
    secret: str
    uri: str


class Redirect(Shape):
    """Where to go."""

    url: str


class TokenAsked(Shape):
    """A new machine token, which acts for whoever asks and never for more."""

    name: Name
    scopes: list[ScopeWord]
    highest: Tlp = "TLP:GREEN"
    days: Annotated[int, Field(ge=1, le=366)] = 90


class TokenShape(Shape):
    """A machine token; `token`, the secret, is shown once, when it is made."""

    id: Id
    name: str
    person: Id
    scopes: list[str]
    highest: Tlp
    created: str
    expires: str
    revoked: str = ""
    used: str = ""
    token: str | None = None


class Tokens(Shape):
    """Machine tokens."""

    tokens: list[TokenShape]
