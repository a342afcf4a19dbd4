"""Sign in by an OpenID provider: authorization code with PKCE (RFC 7636), state and nonce (OpenID Connect Core 1.0).

Only whom an administrator linked before comes in. The provider's word is no ceremony: who came in so confirms with a passkey
before approval, export, and changes of keys and roles.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from shieldwall.errors import BadInput, BadText, NotFound, NotSignedIn, UsageError
from shieldwall.model.access import Identity
from shieldwall.model.strictjson import parse_json
from shieldwall.node.people.config import OidcConfig, PeopleConfig, check_url
from shieldwall.node.people.fetching import Fetch, Question
from shieldwall.node.people.limits import DOORS, Gate
from shieldwall.node.people.sessions import LONGEST_SECRET, SessionDoor, ended, new_secret
from shieldwall.store.credentials import hash_of
from shieldwall.store.sessions import Session

if TYPE_CHECKING:
    from joserfc.jwk import Key

    from shieldwall.store.engine import Clock, Store

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND  # microseconds that what the provider says of itself is believed
_MINUTE = 60 * _SECOND  # microseconds between two looks for a new key
_MOST_KEYS = 100
_LONGEST = 16_384  # characters of a code or token
_EARLY = 600  # seconds that an ID token may be old
_PURPOSE = "oidc"
_VERB = "session.begin"


class Provider:
    """What a provider says, checked.

    Args:
        config: Which provider.
        fetch: The transport.
        clock: Microseconds.
    """

    def __init__(self, config: OidcConfig, fetch: Fetch, clock: Clock) -> None:
        self.config = config
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._about: tuple[int, dict[str, str]] | None = None
        self._keys: tuple[int, list[Key]] | None = None

    def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where to send someone who wants to come in.

        Raises:
            BadInput: The provider does not answer, or not as one.
        """
        challenge = _base64(hashlib.sha256(verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self.config.redirect,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        where = self._discovered()["authorization_endpoint"]
        return f"{where}{'&' if '?' in where else '?'}{urlencode(query)}"

    def subject(self, code: str, verifier: str, nonce: str) -> str:
        """Who the provider says it is, for a code that it sent someone back with.

        Raises:
            BadInput: The provider does not answer, or with what does not hold.
        """
        if not 0 < len(code) <= _LONGEST or not code.isascii() or not code.isprintable():  # RFC 6749, appendix A.11
            raise BadInput("that is no code")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.config.redirect,
            "client_id": self.config.client_id,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self.config.client_secret:  # RFC 6749, section 2.3.1: each part in its form encoding
            pair = f"{quote_plus(self.config.client_id)}:{quote_plus(self.config.client_secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        where = self._discovered()["token_endpoint"]
        answer = self._object(Question(where, headers, urlencode(form).encode()))
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > _LONGEST:
            raise BadInput("the OpenID provider gave no ID token")
        return checked_claims(self._claims(token), self.config, nonce, self._clock() // _SECOND)

    def _claims(self, token: str) -> Mapping[str, Any]:
        """What an ID token says, its signature checked by a key of the provider with one of our algorithms."""
        jws, jwk, errors = _joserfc()
        allowed = set(self.config.algorithms) | ({"Ed25519"} if "EdDSA" in self.config.algorithms else set())

        class Registry(jws.JWSRegistry):  # type: ignore[misc, name-defined]
            """Our algorithms, each of them named, and no warning in the place of a refusal."""

            def get_alg(self, name: str) -> Any:  # noqa: ANN401 - a class of the library
                if name not in allowed:
                    raise errors.UnsupportedAlgorithmError("an algorithm that was not agreed on")
                return self.algorithms[name]

        registry = Registry(algorithms=sorted(allowed))
        try:
            header = jws.extract_compact(token.encode(), registry=registry).headers()
            key = self._key(header.get("kid"), str(header.get("alg")), jwk)
            signed = jws.deserialize_compact(token.encode(), key, registry=registry)
            claims = parse_json(bytes(signed.payload or b""), "ID token", floats=True)
        except BadInput:
            raise
        except (errors.JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadInput(f"the ID token does not hold ({type(error).__name__})") from None
        if not isinstance(claims, dict):
            raise BadInput("the ID token says nothing")
        return claims

    def _key(self, kid: object, algorithm: str, jwk: Any) -> Key:  # noqa: ANN401 - a module
        kind = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}.get(algorithm)
        for look_again in (False, True):
            fitting = [
                key
                for key in self._known_keys(jwk, look_again=look_again)
                if key.key_type == kind
                and key.get("use") in (None, "sig")
                and key.get("alg") in (None, algorithm)
                and (kid is None or key.get("kid") == kid)
            ]
            if len(fitting) == 1:
                return fitting[0]
        raise BadInput("the ID token is signed by no key of the OpenID provider")

    def _known_keys(self, jwk: Any, *, look_again: bool) -> list[Key]:  # noqa: ANN401 - a module
        now = self._clock()
        with self._lock:
            if self._keys and now - self._keys[0] < (_MINUTE if look_again else _HOUR):
                return self._keys[1]
        listed = self._object(Question(self._discovered()["jwks_uri"])).get("keys")
        keys = []
        for entry in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
            if isinstance(entry, dict) and entry.get("kty") in ("RSA", "EC", "OKP"):
                public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
                try:
                    keys.append(jwk.import_key(public))
                except Exception:  # noqa: BLE001, S112 - a key of a kind that the library does not know is no key of ours
                    continue
        with self._lock:
            self._keys = (now, keys)
        return keys

    def _discovered(self) -> dict[str, str]:
        """OpenID Connect Discovery 1.0, section 4: the issuer in it must be the one that was asked."""
        now = self._clock()
        with self._lock:
            if self._about and now - self._about[0] < _HOUR:
                return self._about[1]
        found = self._object(Question(self.config.issuer.rstrip("/") + "/.well-known/openid-configuration"))
        if found.get("issuer") != self.config.issuer:
            raise BadInput(
                "the OpenID provider calls itself by another name", hint="write the issuer exactly as it does"
            )
        about = {}
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            about[name] = str(found.get(name) or "")
            try:
                check_url(about[name], f"the provider's {name}")
            except UsageError as error:
                raise BadInput(error.message) from None
        with self._lock:
            self._about = (now, about)
        return about

    def _object(self, question: Question) -> dict[str, Any]:
        try:
            body = parse_json(self._fetch(question), "the OpenID provider's answer", floats=True)
        except BadText:
            raise BadInput("the OpenID provider's answer is not JSON") from None
        if not isinstance(body, dict):
            raise BadInput("the OpenID provider's answer is no object")
        return body


def checked_claims(claims: Mapping[str, Any], config: OidcConfig, nonce: str, now: int) -> str:
    """The subject of an ID token whose signature was checked (OpenID Connect Core 1.0, section 3.1.3.7).

    Args:
        claims: What it says.
        config: Whom it must be from, and for whom.
        nonce: What it must answer.
        now: Seconds of Unix time.

    Raises:
        BadInput: It is from or for somebody else, of another time, or answers something else.
    """
    audience, party = claims.get("aud"), claims.get("azp")
    audiences = audience if isinstance(audience, list) else [audience]
    for_us = config.client_id in audiences and (party == config.client_id or (party is None and len(audiences) == 1))
    expires, issued, before = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    subject = claims.get("sub")
    wrong = ""
    if claims.get("iss") != config.issuer:
        wrong = "from another provider"
    elif not for_us:
        wrong = "for another node"
    elif expires is None or now >= expires + config.leeway:
        wrong = "too old"
    elif issued is None or not now - _EARLY <= issued <= now + config.leeway:
        wrong = "of another time"
    elif "nbf" in claims and (before is None or before > now + config.leeway):
        wrong = "not valid yet"
    elif not isinstance(claims.get("nonce"), str) or not _same(claims["nonce"], nonce):
        wrong = "for another sign-in"
    elif not isinstance(subject, str) or not 0 < len(subject) <= 255:
        wrong = "about nobody"
    if wrong:
        raise BadInput(f"the ID token is {wrong}")
    return str(subject)


class OidcDoor:
    """Sign-in by the provider.

    Args:
        store: Where links and sessions are.
        config: Which provider, if any.
        gate: Limits and bans.
        sessions: Opens sessions.
        fetch: The transport.
    """

    def __init__(self, store: Store, config: PeopleConfig, gate: Gate, sessions: SessionDoor, fetch: Fetch) -> None:
        self._store = store
        self._seconds = config.ceremony
        self._gate = gate
        self._sessions = sessions
        self._provider = Provider(config.oidc, fetch, store.now) if config.oidc else None

    def begin(self, client: str) -> tuple[str, str]:
        """Begin.

        Returns:
            Where to send the browser, and a secret to keep in its cookie until it comes back.

        Raises:
            NotFound: There is no provider.
            UsageError: The extra `oidc` is not installed.
            BadInput: The provider does not answer.
            TooMany: Too often, or banned.
        """
        provider = self._asked()
        _joserfc()  # say at once what is missing
        self._gate.stranger(client)
        cookie, nonce, verifier = new_secret(), new_secret(), secrets.token_urlsafe(48)
        value = {"cookie": self._hash(cookie), "nonce": nonce, "verifier": verifier}
        with self._store.upkeep(DOORS) as work:
            begun = work.credentials.begin(_PURPOSE, "", value, self._seconds)
        return provider.address(begun.id, nonce, verifier), cookie

    def finish(
        self, client: str, *, state: str, code: str, cookie: str, issuer: str | None = None
    ) -> tuple[str, Session, Identity]:
        """Sign in whom the provider sent back.

        Args:
            client: Address of the client.
            state: As the provider sent it back.
            code: As the provider sent it.
            cookie: The secret from `begin`: only the browser that began may finish.
            issuer: As the provider sent it (RFC 9207), where it did.

        Returns:
            The secret of a new session, the session, who it is. The session is not confirmed.

        Raises:
            NotFound: There is no provider.
            NotSignedIn: Somebody else began, it took too long, the provider's word does not hold, or nobody is linked to it.
            TooMany: Banned.
        """
        provider = self._asked()
        self._gate.stranger(client)
        if not cookie:  # any page could send a browser here; that must not count against whoever sits before it
            raise _no()
        with self._store.upkeep(DOORS) as work:
            begun = work.credentials.take(state, _PURPOSE)
        if begun is None or not _same(self._hash(cookie[: LONGEST_SECRET + 1]), begun.value["cookie"]):
            self._gate.failed(client, _VERB, "no such sign-in", way="oidc")
            raise _no()
        if issuer is not None and issuer != provider.config.issuer:
            self._gate.failed(client, _VERB, "another provider", way="oidc")
            raise _no()
        try:
            subject = provider.subject(code, begun.value["verifier"], begun.value["nonce"])
        except BadInput as error:
            self._gate.failed(client, _VERB, error.message[:200], way="oidc")
            raise _no() from None
        with self._store.inside(DOORS) as work:
            person = work.people.find(work.credentials.linked(provider.config.issuer, subject))
            identity = work.people.identity_of(person) if person is not None and person.active else None
        if identity is None:
            self._gate.failed(client, _VERB, "linked to nobody", way="oidc")
            raise _no()
        self._gate.enter(client, ("person", identity.person))
        with self._store.act(identity, _VERB, way="oidc") as work:
            still = work.people.find(identity.person)
            if still is None or not still.active:
                raise ended()
            secret, session = self._sessions.open(work, identity.person, "oidc", confirmed=False)
        return secret, session, identity

    def _hash(self, cookie: str) -> str:
        return hash_of(self._store.secrets, "oidc", cookie).hex()

    def _asked(self) -> Provider:
        if self._provider is None:
            raise NotFound("this node has no OpenID provider", hint="sign in with your passkey")
        return self._provider


def _joserfc() -> tuple[Any, Any, Any]:
    """The library's parts: signatures, keys, errors."""
    try:
        from joserfc import errors, jwk, jws  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError("sign-in by an OpenID provider is an extra", hint="pip install 'shieldwall[oidc]'") from None
    return jws, jwk, errors


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """Seconds of Unix time, as OpenID Connect writes them; None where there are none."""
    value = claims.get(name)
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 40
    return value if sound else None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _no() -> NotSignedIn:
    return NotSignedIn(
        "the OpenID provider's sign-in does not open this door",
        hint="begin again; an administrator must have linked you before",
    )
