"""Sign in with a passkey: what opens the door, and everything that must not."""

from __future__ import annotations

import copy
import json

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from passkey_support import ALGORITHMS, ES256, Authenticator, b64, unb64
from people_support import HERE, MINUTE, House

from shieldwall.errors import BadText, Conflict, NotSignedIn, ShieldwallError, UsageError
from shieldwall.model.access import Kind, Role
from shieldwall.node.people import passkeys
from shieldwall.node.people.config import PeopleConfig


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.store.close()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("counts", [True, False])
def test_passkey_of_each_algorithm_signs_in(house, algorithm, counts):
    person, key, _signed = house.person("Mara", Role.ANALYST, algorithm=algorithm, counts=counts)
    assert key.keys[0].algorithm == algorithm
    secret, _ = house.sign_in_with_secret(key)
    session, identity = house.doors.session(secret, HERE)
    assert (identity.person, identity.name, identity.kind) == (person, "Mara", Kind.PERSON)
    assert identity.roles == {Role.ANALYST}
    assert session.way == "passkey"
    house.doors.must_confirm(session)


def test_options_ask_for_verification_and_a_passkey_that_needs_no_name(house):
    _, options = house.doors.begin_sign_in(HERE)
    assert options["userVerification"] == "required"
    assert options["allowCredentials"] == []
    assert options["rpId"] == "localhost"
    _, options = house.doors.begin_registration(HERE, signed=house.admin)
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["attestation"] == "none"
    assert {each["alg"] for each in options["pubKeyCredParams"]} == set(ALGORITHMS)
    assert [unb64(each["id"]) for each in options["excludeCredentials"]] == [house.ada.keys[0].id]


WRONG = {
    "no user verification": {"verifies": False},
    "another origin": {"origin": "http://localhost:9999"},
    "a look-alike origin": {"origin": "http://localhost.example:8420"},
    "another challenge": {"challenge": bytes(32)},
    "another relying party": {"rp_id": "example.org"},
    "a frame of another site": {"cross_origin": True},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_answer_does_not_sign_in(house, wrong):
    for name, value in WRONG[wrong].items():
        setattr(house.ada, name, value)
    before = len(house.leaves())
    with pytest.raises(NotSignedIn):
        house.sign_in(house.ada)
    (leaf,) = house.leaves()[before:]
    assert (leaf["verb"], leaf["outcome"]) == ("session.begin", "refused")
    assert leaf["detail"]["person"] == house.admin[1].person
    assert leaf["detail"]["client"] == HERE


@pytest.mark.parametrize("wrong", [*WRONG, "certificates"])
def test_wrong_answer_makes_no_passkey(house, wrong):
    key = Authenticator(**WRONG.get(wrong, {"fmt": "fido-u2f"}))
    challenge, options = house.doors.begin_registration(HERE, signed=house.admin)
    with pytest.raises(BadText):
        house.doors.finish_registration(HERE, challenge, key.register(options), signed=house.admin)
    assert len(house.doors.passkeys(house.admin[1])) == 1
    assert house.leaves("passkey.add")[-1]["outcome"] == "refused"


@pytest.mark.parametrize("algorithm", [-7, -8])
def test_authenticators_own_word_is_taken_and_a_certificate_is_not_even_read(house, monkeypatch, algorithm):
    challenge, options = house.doors.begin_registration(HERE, signed=house.admin)
    key = Authenticator(algorithm=algorithm, fmt="packed")
    house.doors.finish_registration(HERE, challenge, key.register(options), signed=house.admin)
    house.sign_in(key)
    read = []
    monkeypatch.setattr(passkeys, "verify_registration_response", lambda **given: read.append(given))
    for fmt, certificates in (("packed", [b"a certificate"]), ("tpm", []), ("apple", []), ("android-safetynet", [])):
        key = Authenticator(fmt=fmt, certificates=certificates)
        challenge, options = house.doors.begin_registration(HERE, signed=house.admin)
        with pytest.raises(BadText):
            house.doors.finish_registration(HERE, challenge, key.register(options), signed=house.admin)
    assert read == []


def test_sign_in_must_say_who_it_is_but_confirmation_knows(house):
    house.ada.shows_user = False
    with pytest.raises(NotSignedIn):
        house.sign_in(house.ada)
    house.confirm(house.admin, house.ada)
    house.ada.shows_user = True
    house.ada.keys[0].user = bytes(16)
    with pytest.raises(NotSignedIn):
        house.confirm(house.admin, house.ada)


def test_algorithm_that_was_not_offered_is_refused(house):
    key = Authenticator(algorithm=ES256)
    challenge, options = house.doors.begin_registration(HERE, signed=house.admin)
    answer = key.register(options)
    body = cbor2.loads(unb64(answer["response"]["attestationObject"]))
    at = body["authData"].index(key.keys[0].cose())
    cose = cbor2.loads(key.keys[0].cose()) | {3: -36}
    body["authData"] = body["authData"][:at] + cbor2.dumps(cose)
    answer["response"]["attestationObject"] = b64(cbor2.dumps(body))
    with pytest.raises(BadText):
        house.doors.finish_registration(HERE, challenge, answer, signed=house.admin)


def test_challenge_is_used_up_by_right_and_by_wrong_answers(house):
    challenge, options = house.doors.begin_sign_in(HERE)
    answer = house.ada.sign_in(options)
    house.doors.finish_sign_in(HERE, challenge, answer)
    with pytest.raises(NotSignedIn):
        house.doors.finish_sign_in(HERE, challenge, answer)
    challenge, options = house.doors.begin_sign_in(HERE)
    broken = copy.deepcopy(answer := house.ada.sign_in(options))
    broken["response"]["signature"] = b64(bytes(70))
    with pytest.raises(NotSignedIn):
        house.doors.finish_sign_in(HERE, challenge, broken)
    with pytest.raises(NotSignedIn):
        house.doors.finish_sign_in(HERE, challenge, answer)


def test_challenge_holds_five_minutes_and_for_one_thing(house):
    challenge, options = house.doors.begin_sign_in(HERE)
    answer = house.ada.sign_in(options)
    house.clock.pass_seconds(5 * MINUTE)
    with pytest.raises(NotSignedIn):
        house.doors.finish_sign_in(HERE, challenge, answer)
    admin = house.sign_in(house.ada)
    challenge, options = house.doors.begin_confirmation(admin)
    with pytest.raises(NotSignedIn):
        house.doors.finish_sign_in(HERE, challenge, house.ada.sign_in(options))


def test_counter_that_goes_back_is_refused_and_named_in_the_log(house):
    house.sign_in(house.ada)
    house.ada.keys[0].count -= 1
    with pytest.raises(NotSignedIn):
        house.sign_in(house.ada)
    assert house.leaves("session.begin")[-1]["detail"]["why"] == "the counter went back"


def test_passkey_that_the_node_does_not_know_is_refused(house):
    _person, key, _ = house.person("Mara")
    challenge, options = house.doors.begin_sign_in(HERE)
    answer = key.sign_in(options)
    answer["id"] = answer["rawId"] = b64(b"another")
    with pytest.raises(NotSignedIn):
        house.doors.finish_sign_in(HERE, challenge, answer)
    assert house.leaves("session.begin")[-1]["detail"]["why"] == "unknown passkey"


def test_one_persons_passkey_is_not_another_ones(house):
    _, key, _ = house.person("Mara")
    key.keys.append(copy.deepcopy(house.ada.keys[0]))
    key.keys[-1].private = key.keys[0].private
    with pytest.raises(NotSignedIn):
        house.sign_in(key)


def test_disabled_person_does_not_come_in(house):
    person, key, _signed = house.person("Mara")
    house.doors.people.disable(house.admin[1], person, 1, house.admin)
    with pytest.raises(NotSignedIn):
        house.sign_in(key)
    assert house.leaves("session.begin")[-1]["detail"]["why"] == "disabled"
    house.doors.people.enable(house.admin[1], person, 2, house.admin)
    assert house.sign_in(key)[1].person == person


def test_passkey_is_registered_once(house):
    challenge, options = house.doors.begin_registration(HERE, signed=house.admin)
    with pytest.raises(ValueError, match="InvalidStateError"):
        house.ada.register(options)
    key = Authenticator()
    answer = key.register(options)
    house.doors.finish_registration(HERE, challenge, answer, signed=house.admin)
    challenge, options = house.doors.begin_registration(HERE, signed=house.admin)
    again = Authenticator(keys=[])
    with pytest.raises((BadText, Conflict)):
        house.doors.finish_registration(HERE, challenge, answer, signed=house.admin)
    challenge, options = house.doors.begin_registration(HERE, signed=house.admin)
    same = again.register(options)
    same = _with_id(same, again.keys[0].id, key.keys[0].id)
    with pytest.raises(Conflict):
        house.doors.finish_registration(HERE, challenge, same, signed=house.admin)


def test_log_has_each_sign_in_and_no_secret(house):
    secret, signed = house.sign_in_with_secret(house.ada)
    (leaf,) = house.leaves("session.begin")[-1:]
    assert leaf["outcome"] == "done"
    assert leaf["who"]["person"] == signed[1].person
    everything = json.dumps(house.leaves())
    assert secret not in everything
    assert signed[0].hash.hex() not in everything


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "", "Node.Example.org"])
def test_address_is_no_home_for_passkeys(host):
    with pytest.raises(UsageError):
        PeopleConfig(host=host, origins=(f"https://{host}",))


@pytest.mark.parametrize(
    "origin", ["http://node.example.org", "https://other.example.org", "https://node.example.org/x"]
)
def test_origin_must_be_the_nodes_own(origin):
    PeopleConfig(host="node.example.org", origins=("https://node.example.org", "https://a.node.example.org:8443"))
    with pytest.raises(UsageError):
        PeopleConfig(host="node.example.org", origins=(origin,))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
field = anything | st.binary(max_size=80).map(b64)
response = st.fixed_dictionaries(
    {},
    optional={
        "clientDataJSON": field | anything.map(lambda value: b64(json.dumps(value).encode())),
        "attestationObject": field
        | st.binary(max_size=60).map(lambda raw: b64(cbor2.dumps({"fmt": "none", "authData": raw}))),
        "authenticatorData": field,
        "signature": field,
        "userHandle": field,
        "transports": anything,
    },
)
credentials = anything | st.fixed_dictionaries(
    {},
    optional={"id": field, "rawId": field, "type": st.just("public-key") | anything, "response": response | anything},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(credential=credentials, known=st.booleans())
def test_any_json_as_an_answer_gives_a_typed_error(shared_house, credential, known):
    house, here = shared_house, shared_house.somewhere()
    if known and isinstance(credential, dict):
        credential = credential | {"id": b64(house.ada.keys[0].id), "rawId": b64(house.ada.keys[0].id)}
    house.clock.pass_seconds(100 * MINUTE)
    challenge, _ = house.doors.begin_sign_in(here)
    with pytest.raises(ShieldwallError):
        house.doors.finish_sign_in(here, challenge, credential)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_answer_with_one_part_changed_is_refused(shared_house, data):
    house, here = shared_house, shared_house.somewhere()
    house.clock.pass_seconds(100 * MINUTE)
    challenge, options = house.doors.begin_sign_in(here)
    answer = house.ada.sign_in(options)
    part = data.draw(st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle"]))
    raw = bytearray(unb64(answer["response"][part]))
    at = data.draw(st.integers(0, 9999)) % len(raw)
    raw[at] ^= data.draw(st.integers(1, 255))
    answer["response"][part] = b64(bytes(raw))
    with pytest.raises(NotSignedIn):
        house.doors.finish_sign_in(here, challenge, answer)


def _with_id(answer, old, new):
    body = cbor2.loads(unb64(answer["response"]["attestationObject"]))
    body["authData"] = body["authData"].replace(old, new)
    answer["response"]["attestationObject"] = b64(cbor2.dumps(body))
    answer["id"] = answer["rawId"] = b64(new)
    return answer
