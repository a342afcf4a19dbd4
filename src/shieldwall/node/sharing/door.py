"""How a partner's machine comes in: by a secret of 256 random bits (Basic or bearer), or by a certificate that TLS has checked.

A secret is `swp_`, its id, `_`, and 64 hex digits. For Basic the id is the user and the digits are the password, so that clients
that know nothing else can come in; no slow hash is needed, since nobody guesses 256 bits.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING

from shieldwall.errors import NotSignedIn, TooMany, UsageError
from shieldwall.model.access import Identity
from shieldwall.node.people.limits import DOORS, Buckets, Gate
from shieldwall.store.credentials import hash_of
from shieldwall.store.ids import new_id
from shieldwall.store.partners import CERTIFICATE, SECRET, Partner, PartnerSecret

if TYPE_CHECKING:
    from shieldwall.store.engine import Store

LONGEST_DAYS = 400
"""How long something that opens the door may hold."""

_RATE, _BURST = 200.0, 1000
_DAY = 86_400_000_000  # microseconds
_FORM = re.compile(r"swp_([0-9a-f]{32})_([0-9a-f]{64})")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class PartnerDoor:
    """The door.

    Args:
        store: Where partners are.
        gate: Limits and bans, shared with people and their tokens.
    """

    def __init__(self, store: Store, gate: Gate) -> None:
        self._store = store
        self._gate = gate
        self._pace = Buckets(_RATE, _BURST)

    def issue(self, identity: Identity, act: str, partner_id: str, *, days: int) -> tuple[str, PartnerSecret]:
        """Make a secret for a partner; its text is shown this once.

        Raises:
            NotAllowed: Whoever asks may not manage.
            NotFound: No such partner.
            UsageError: It would hold too long.
        """
        brought = secrets.token_hex(32)
        made = new_id()
        kept = self._keep(identity, act, partner_id, days, SECRET, brought, made)
        return f"swp_{made}_{brought}", kept

    def admit(self, identity: Identity, act: str, partner_id: str, fingerprint: str, *, days: int) -> PartnerSecret:
        """Let a partner in by a certificate: the SHA-256 of its DER form, in hex; colons between are left out.

        Raises:
            NotAllowed, NotFound, UsageError: As `issue`; or it is no such digest.
        """
        plain = fingerprint.replace(":", "").lower()
        if not _FINGERPRINT.fullmatch(plain):
            raise UsageError("that is no SHA-256 of a certificate", hint="openssl x509 -fingerprint -sha256 -noout")
        return self._keep(identity, act, partner_id, days, CERTIFICATE, plain, new_id())

    def basic(self, user: str, password: str, client: str) -> Partner:
        """Who comes in by user and password.

        Raises:
            NotSignedIn: Nobody, or no longer.
            TooMany: Too often, or banned.
        """
        return self._enter(user if re.fullmatch("[0-9a-f]{32}", user) else "", password, client)

    def bearer(self, text: str, client: str) -> Partner:
        """Who comes in by a bearer token.

        Raises:
            NotSignedIn, TooMany: As `basic`.
        """
        form = _FORM.fullmatch(text)
        return self._enter(form[1] if form else "", form[2] if form else "", client)

    def certificate(self, fingerprint: str) -> Partner | None:
        """Who comes in by a certificate that TLS has checked; None for one that is nobody's.

        Raises:
            TooMany: As `basic`.
        """
        with self._store.inside(DOORS) as work:
            found = work.partners.find_hash(hash_of(self._store.secrets, CERTIFICATE, fingerprint))
            good = found is not None and found.kind == CERTIFICATE and _holds(found, work.now)
            partner = work.partners.get(found.partner) if found is not None and good else None
        return None if partner is None or partner.ended_at is not None else self._known(partner)

    def _keep(
        self, identity: Identity, act: str, partner_id: str, days: int, kind: str, brought: str, made: str
    ) -> PartnerSecret:
        if not 0 < days <= LONGEST_DAYS:
            raise UsageError(f"what opens the door holds for 1 to {LONGEST_DAYS} days")
        with self._store.act(identity, act) as work:
            secret = PartnerSecret(
                id=made,
                partner=partner_id,
                kind=kind,
                hash=hash_of(self._store.secrets, _purpose(kind), brought),
                created_at=work.now,
                expires_at=work.now + days * _DAY,
            )
            work.partners.add_secret(secret)
        return secret

    def _enter(self, secret_id: str, brought: str, client: str) -> Partner:
        self._gate.look(client)
        names = (("partner", secret_id),) if secret_id else ()
        partner = None
        with self._store.inside(DOORS) as work:
            until, now = self._gate.banned_until(work, client, *names), work.now
            found = work.partners.find_secret(secret_id) if secret_id else None
            hashed = hash_of(self._store.secrets, _purpose(SECRET), brought)
            right = found is not None and found.kind == SECRET and hmac.compare_digest(hashed, found.hash)
            if found is not None and right and _holds(found, now):
                partner = work.partners.get(found.partner)
        self._gate.refuse(client, until, now)
        if not right:
            self._gate.failed(client, "partner.enter", "wrong", *names, secret=secret_id)
            raise _no()
        if partner is None or partner.ended_at is not None:
            self._gate.over(client, "partner.enter", "over", ("partner", secret_id), secret=secret_id)
            raise _no()
        return self._known(partner)

    def _known(self, partner: Partner) -> Partner:
        seconds = self._pace.take(partner.id, self._store.clock())
        if seconds:
            raise TooMany("too many requests at once", hint="ask again in a moment", seconds=seconds)
        return partner


def _purpose(kind: str) -> str:
    return CERTIFICATE if kind == CERTIFICATE else "partner"


def _holds(secret: PartnerSecret, now: int) -> bool:
    return secret.revoked_at is None and now < secret.expires_at


def _no() -> NotSignedIn:
    return NotSignedIn("that opens nothing, or no longer", hint="ask the node's administrator for another one")
