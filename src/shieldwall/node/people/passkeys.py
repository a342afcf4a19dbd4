"""The two ceremonies of Web Authentication (W3C, Level 3, sections 7.1 and 7.2): options for the browser, and its answer checked.

User verification is required, always: a passkey alone is something that someone has. Attestation is not asked for. Nothing here
reads or writes; the `webauthn` library does the parsing and the signatures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from shieldwall.errors import BadText, NotSignedIn
from shieldwall.node.people.config import PeopleConfig
from shieldwall.store.credentials import Passkey
from shieldwall.store.people import Person

ALGORITHMS = [
    COSEAlgorithmIdentifier.ML_DSA_65,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
]
"""Of passkeys, the one to be preferred first."""

_LONGEST_TEXT = 16_384  # characters of one field; ML-DSA-65 signatures and keys need a third of it
_LONGEST_ID = 1023  # bytes of a credential id (section 4)
_SELF_ATTESTED = ("none", "packed")


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What an authenticator made: its id, its public key (COSE), and where its counter stands."""

    id: bytes
    public_key: bytes
    sign_count: int


def registration_options(
    config: PeopleConfig, person: Person, challenge: bytes, existing: Iterable[Passkey]
) -> dict[str, Any]:
    """What a page gives to `navigator.credentials.create`, as JSON.

    Args:
        config: The relying party.
        person: For whom.
        challenge: Random bytes that were not used before.
        existing: Their passkeys: no authenticator makes a second one.
    """
    options = generate_registration_options(
        rp_id=config.host,
        rp_name=config.node,
        user_name=person.name,
        user_id=bytes.fromhex(person.id),
        challenge=challenge,
        timeout=config.ceremony * 1000,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.id) for passkey in existing],
        supported_pub_key_algs=ALGORITHMS,
    )
    return options_to_json_dict(options)


def sign_in_options(config: PeopleConfig, challenge: bytes, allowed: Iterable[Passkey] = ()) -> dict[str, Any]:
    """What a page gives to `navigator.credentials.get`, as JSON; with no passkey allowed by name, any that the browser finds."""
    options = generate_authentication_options(
        rp_id=config.host,
        challenge=challenge,
        timeout=config.ceremony * 1000,
        allow_credentials=[PublicKeyCredentialDescriptor(id=passkey.id) for passkey in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def check_registration(config: PeopleConfig, credential: object, challenge: bytes) -> NewPasskey:
    """The passkey that a browser's answer brings.

    Raises:
        BadText: It does not fit what was asked for.
    """
    try:
        body, response = _parts(credential)
        _check_frame(response)
        _check_attestation(response)
        verified = verify_registration_response(
            credential=body,
            expected_challenge=challenge,
            expected_rp_id=config.host,
            expected_origin=list(config.origins),
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as error:  # noqa: BLE001 - parsers of three formats meet a stranger's bytes: whatever they raise is a no
        raise BadText(
            f"the new passkey does not fit what was asked for ({type(error).__name__})",
            hint=f"make it on {' or '.join(config.origins)}, with PIN, fingerprint or face",
        ) from None
    if len(verified.credential_id) > _LONGEST_ID:
        raise BadText(f"the new passkey has an id of more than {_LONGEST_ID} bytes", hint="use another authenticator")
    return NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count)


def credential_id(credential: object) -> bytes:
    """The credential id that an answer names; nothing of it is proven.

    Raises:
        NotSignedIn: It names none.
    """
    try:
        body, _ = _parts(credential)
        return base64url_to_bytes(body["id"])[: _LONGEST_ID + 1]
    except (ValueError, KeyError, TypeError):
        raise _no() from None


def check_assertion(
    config: PeopleConfig, credential: object, challenge: bytes, passkey: Passkey, *, named: bool
) -> int:
    """Check that an answer was signed by a passkey, of a person who was verified, for this node and this challenge.

    Args:
        config: The relying party.
        credential: What the browser answered.
        challenge: What it was given.
        passkey: Which one it says that it is.
        named: Whether the person was known before; else the answer must name them too.

    Returns:
        The authenticator's counter.

    Raises:
        NotSignedIn: It is not.
    """
    try:
        body, response = _parts(credential)
        _check_frame(response)
        _check_user(response, passkey, named=named)
        verified = verify_authentication_response(
            credential=body,
            expected_challenge=challenge,
            expected_rp_id=config.host,
            expected_origin=list(config.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # `went_back` looks at it, so that the record can say so
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - parsers of three formats meet a stranger's bytes: whatever they raise is a no
        raise _no() from None
    if verified.credential_id != passkey.id:
        raise _no()
    return verified.new_sign_count


def went_back(passkey: Passkey, sign_count: int) -> bool:
    """Whether an authenticator's counter did not rise, so that there may be a copy of it (section 6.1.1)."""
    return bool(sign_count or passkey.sign_count) and sign_count <= passkey.sign_count


def _no() -> NotSignedIn:
    return NotSignedIn("that passkey does not open this door", hint="begin again, with PIN, fingerprint or face")


def _parts(credential: object) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The answer and its response, with fields of a bounded length."""
    if not isinstance(credential, dict) or not isinstance(credential.get("response"), dict):
        raise TypeError("no credential")
    response: dict[str, Any] = credential["response"]
    for text in (*credential.values(), *response.values()):
        if isinstance(text, str) and len(text) > _LONGEST_TEXT:
            raise ValueError("a field of that length")
    if not isinstance(credential.get("id"), str):
        raise TypeError("no id")
    return credential, response


def _check_frame(response: Mapping[str, Any]) -> None:
    """No ceremony in a frame of another site (section 13.4.9): the library leaves that to the caller."""
    client_data = json.loads(base64url_to_bytes(response["clientDataJSON"]))
    if client_data.get("crossOrigin") not in (None, False) or client_data.get("topOrigin") is not None:
        raise ValueError("in a frame of another site")


def _check_attestation(response: Mapping[str, Any]) -> None:
    """None, or the authenticator's own word (section 5.1.3, step of `none`): no certificate is parsed that nobody asked for."""
    attested = parse_attestation_object(base64url_to_bytes(response["attestationObject"]))
    if attested.fmt not in _SELF_ATTESTED or attested.att_stmt.x5c:
        raise ValueError("attestation was not asked for")


def _check_user(response: Mapping[str, Any], passkey: Passkey, *, named: bool) -> None:
    """Section 7.2, step 6: an answer of someone who was not named says who they are, and any that says so says it rightly."""
    handle = response.get("userHandle")
    if handle is None and not named:
        raise ValueError("no user handle")
    if handle is not None and base64url_to_bytes(handle) != bytes.fromhex(passkey.person):
        raise ValueError("another user's handle")
