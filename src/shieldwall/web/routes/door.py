"""The door: sign in with a passkey, confirm, sign out, passkeys and recovery codes of one's own; and tokens."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import Path, Query, Request, Response

from shieldwall.errors import BadInput, NotSignedIn, UsageError
from shieldwall.model.access import Identity, Kind, Permission
from shieldwall.model.marking import parse_marking
from shieldwall.node.node import Node
from shieldwall.node.people.sessions import Signed
from shieldwall.store.credentials import Passkey
from shieldwall.store.sessions import Session, Token
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.rules import OPEN, PEOPLE, Caller, CallerHere, NodeHere, Rule, client_of
from shieldwall.web.shapes.base import Done, Id
from shieldwall.web.shapes.door import (
    Ceremony,
    CodeAsked,
    Credential,
    Passkeys,
    PasskeyShape,
    RecoveryCode,
    Redirect,
    RegistrationAsked,
    SignedIn,
    TokenAsked,
    Tokens,
    TokenShape,
)

routes = Routes("door")

_DAY = 86_400
_OIDC_COOKIE = "shieldwall-oidc"


def signed_of(caller: Caller) -> Signed:
    """The session and identity of whoever came by a session.

    Raises:
        NotSignedIn: They came by a token.
    """
    if caller.session is None:
        raise NotSignedIn("a person must sign in for that")
    return caller.session, caller.identity


def maybe_signed(caller: Caller) -> Signed | None:
    """The same; None for a token."""
    return None if caller.session is None else (caller.session, caller.identity)


@routes.post("/registration/begin", Rule("passkey.begin", kinds=OPEN))
def begin_registration(node: NodeHere, request: Request, asked: RegistrationAsked) -> Ceremony:
    """Begin to make a passkey by a one-time link; where the link is one for recovery by code, with the code."""
    challenge, options = node.doors.begin_registration(client_of(request), invitation=asked.secret, code=asked.code)
    return Ceremony(challenge=challenge, options=options)


@routes.post("/registration/finish", Rule("passkey.add", kinds=OPEN), status_code=201)
def finish_registration(node: NodeHere, request: Request, asked: Credential) -> PasskeyShape:
    """Keep the passkey that the browser made; then sign in with it."""
    client = client_of(request)
    return passkey_shape(
        node.doors.finish_registration(client, asked.challenge, asked.credential, asked.name or "passkey")
    )


@routes.post("/sign-in/begin", Rule("session.begin", kinds=OPEN))
def begin_sign_in(node: NodeHere, request: Request) -> Ceremony:
    """Begin to sign in with a passkey."""
    challenge, options = node.doors.begin_sign_in(client_of(request))
    return Ceremony(challenge=challenge, options=options)


@routes.post("/sign-in/finish", Rule("session.begin", kinds=OPEN))
def finish_sign_in(node: NodeHere, request: Request, response: Response, asked: Credential) -> SignedIn:
    """Sign in; the answer sets the session's cookie."""
    secret, session, identity = node.doors.finish_sign_in(client_of(request), asked.challenge, asked.credential)
    _set_cookie(node, response, secret)
    return signed_in(node, identity, session)


@routes.get("/oidc/begin", Rule("oidc.begin", kinds=OPEN))
def begin_oidc(node: NodeHere, request: Request, response: Response) -> Redirect:
    """Where to send the browser to sign in with the organisation's OpenID provider, where the node has one."""
    url, cookie = node.doors.oidc_begin(client_of(request))
    # lax: the provider's page sends the browser back here
    response.set_cookie(_OIDC_COOKIE, cookie, max_age=600, httponly=True, secure=node.has_tls, samesite="lax")
    return Redirect(url=url)


@routes.get("/oidc/callback", Rule("oidc.finish", kinds=OPEN), status_code=303, response_model=None)
def finish_oidc(
    node: NodeHere,
    request: Request,
    state: Annotated[str, Query(max_length=500)],
    code: Annotated[str, Query(max_length=4000)],
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Where the OpenID provider sends the browser back to."""
    if request.headers.get("sec-fetch-dest", "document") != "document":
        raise NotSignedIn("that is no part of a page", hint="sign in by the page of this node")
    cookie = request.cookies.get(_OIDC_COOKIE, "")
    secret, _, _ = node.doors.oidc_finish(client_of(request), state=state, code=code, cookie=cookie, issuer=iss)
    response = Response(status_code=303, headers={"Location": "/sign-in?here"})
    _set_cookie(node, response, secret)
    response.delete_cookie(_OIDC_COOKIE)
    return response


@routes.get("/session", Rule("session.show"))
def show_session(node: NodeHere, caller: CallerHere) -> SignedIn:
    """Who is signed in."""
    node.store.record(caller.identity, caller.act)
    return signed_in(node, caller.identity, caller.session)


@routes.post("/session/confirm/begin", Rule("session.confirm", kinds=PEOPLE))
def begin_confirmation(node: NodeHere, caller: CallerHere) -> Ceremony:
    """Begin to show a passkey again, for approval, export, key and role changes."""
    challenge, options = node.doors.begin_confirmation(signed_of(caller))
    return Ceremony(challenge=challenge, options=options)


@routes.post("/session/confirm/finish", Rule("session.confirm", kinds=PEOPLE, secret=True))
def finish_confirmation(node: NodeHere, caller: CallerHere, response: Response, asked: Credential) -> SignedIn:
    """Confirm; the session goes on under a new cookie."""
    secret, session, identity = node.doors.finish_confirmation(
        caller.client, signed_of(caller), asked.challenge, asked.credential
    )
    _set_cookie(node, response, secret)
    return signed_in(node, identity, session)


@routes.delete("/session", Rule("session.end", kinds=PEOPLE))
def sign_out(node: NodeHere, caller: CallerHere, response: Response) -> Done:
    """Sign out."""
    node.doors.sign_out(signed_of(caller))
    response.delete_cookie(node.cookie, secure=node.has_tls, httponly=True, samesite="strict")
    return Done()


@routes.delete("/sessions", Rule("session.end_all", kinds=PEOPLE))
def sign_out_everywhere(node: NodeHere, caller: CallerHere, response: Response) -> Done:
    """Sign out everywhere, here as well."""
    node.doors.sign_out_everywhere(signed_of(caller))
    response.delete_cookie(node.cookie, secure=node.has_tls, httponly=True, samesite="strict")
    return Done()


@routes.get("/passkeys", Rule("passkey.list", kinds=PEOPLE))
def list_passkeys(node: NodeHere, caller: CallerHere) -> Passkeys:
    """One's own passkeys."""
    return Passkeys(passkeys=[passkey_shape(passkey) for passkey in node.doors.passkeys(caller.identity)])


@routes.post("/passkeys/begin", Rule("passkey.begin", kinds=PEOPLE, confirm=True))
def begin_passkey(node: NodeHere, caller: CallerHere) -> Ceremony:
    """Begin to make a further passkey."""
    challenge, options = node.doors.begin_registration(caller.client, signed=signed_of(caller))
    return Ceremony(challenge=challenge, options=options)


@routes.post("/passkeys/finish", Rule("passkey.add", kinds=PEOPLE, confirm=True), status_code=201)
def finish_passkey(node: NodeHere, caller: CallerHere, asked: Credential) -> PasskeyShape:
    """Keep a further passkey."""
    made = node.doors.finish_registration(
        caller.client, asked.challenge, asked.credential, asked.name or "passkey", signed=signed_of(caller)
    )
    return passkey_shape(made)


@routes.delete("/passkeys/{passkey_id}", Rule("passkey.remove", kinds=PEOPLE, confirm=True))
def remove_passkey(
    node: NodeHere, caller: CallerHere, passkey_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,1400}$")]
) -> Done:
    """Remove one of one's own passkeys, never the last; one's other sessions end."""
    try:
        raw = base64.urlsafe_b64decode(passkey_id + "=" * (-len(passkey_id) % 4))
    except ValueError:
        raise BadInput("that is no passkey's id") from None
    node.doors.remove_passkey(signed_of(caller), raw)
    return Done()


@routes.post("/recovery-code/begin", Rule("recovery.enrol", kinds=PEOPLE, confirm=True, secret=True))
def begin_recovery_code(node: NodeHere, caller: CallerHere) -> RecoveryCode:
    """Begin to set up recovery by an authenticator application: its secret, shown once."""
    enrolment, secret, uri = node.doors.begin_code(signed_of(caller))
    return RecoveryCode(enrolment=enrolment, secret=secret, uri=uri)


@routes.post("/recovery-code/finish", Rule("recovery.enrol", kinds=PEOPLE, confirm=True), status_code=201)
def finish_recovery_code(node: NodeHere, caller: CallerHere, asked: CodeAsked) -> Done:
    """Finish by a first code of the application."""
    node.doors.finish_code(caller.client, signed_of(caller), asked.enrolment, asked.code)
    return Done()


@routes.delete("/recovery-code", Rule("recovery.remove", kinds=PEOPLE, confirm=True))
def remove_recovery_code(node: NodeHere, caller: CallerHere) -> Done:
    """Give up recovery by code."""
    node.doors.remove_code(signed_of(caller))
    return Done()


@routes.get("/tokens", Rule("token.list", kinds=PEOPLE))
def list_tokens(
    node: NodeHere,
    caller: CallerHere,
    everybody: Annotated[bool, Query(description="Those of everybody; for administrators.")] = False,
) -> Tokens:
    """One's own machine tokens; those that are over among them."""
    found = node.doors.list_tokens(caller.identity, everybody=everybody)
    return Tokens(tokens=[token_shape(token) for token in found])


@routes.post("/tokens", Rule("token.issue", kinds=PEOPLE, confirm=True, secret=True), status_code=201)
def issue_token(node: NodeHere, caller: CallerHere, asked: TokenAsked) -> TokenShape:
    """Issue a machine token, which acts for whoever asks and never for more; its text is shown this once."""
    text, token = node.doors.issue_token(
        caller.identity,
        asked.name,
        scopes=[Permission(scope) for scope in asked.scopes],
        highest=parse_marking(asked.highest),
        seconds=asked.days * _DAY,
        signed=signed_of(caller),
    )
    return token_shape(token, text)


@routes.delete("/tokens/{token_id}", Rule("token.revoke", kinds=PEOPLE))
def revoke_token(
    node: NodeHere, caller: CallerHere, token_id: Annotated[Id, Path(description="Id of the token.")]
) -> Done:
    """End a machine token for good: one's own; anybody's for administrators."""
    node.doors.revoke_token(caller.identity, token_id)
    return Done()


def signed_in(node: Node, identity: Identity, session: Session | None) -> SignedIn:
    """Who is signed in, shaped."""
    if identity.kind not in (Kind.PERSON, Kind.TOKEN):
        raise UsageError("only people and tokens come in here")
    confirmed = session.confirmed_at if session else 0
    return SignedIn.model_construct(
        person=identity.person,
        name=identity.name,
        roles=sorted(identity.roles),
        permissions=sorted(identity.permissions),
        highest=identity.highest.label,
        groups=sorted(identity.groups),
        kind=identity.kind.value,
        expires=moment(session.expires_at) if session else "",
        confirmed=moment(confirmed) if confirmed else "",
        node=node.config.name,
    )


def passkey_shape(passkey: Passkey) -> PasskeyShape:
    """A passkey, shaped."""
    return PasskeyShape(
        id=base64.urlsafe_b64encode(passkey.id).rstrip(b"=").decode(),
        name=passkey.name,
        created=moment(passkey.created_at),
        used=moment(passkey.used_at),
    )


def token_shape(token: Token, text: str | None = None) -> TokenShape:
    """A token, shaped; `text` where it was made just now."""
    return TokenShape.model_construct(
        id=token.id,
        name=token.name,
        person=token.person,
        scopes=sorted(token.scopes),
        highest=token.highest.label,
        created=moment(token.created_at),
        expires=moment(token.expires_at),
        revoked=moment(token.revoked_at),
        used=moment(token.used_at),
        token=text,
    )


def _set_cookie(node: Node, response: Response, secret: str) -> None:
    longest = node.doors.config.longest
    response.set_cookie(
        node.cookie, secret, max_age=longest, path="/", httponly=True, secure=node.has_tls, samesite="strict"
    )
