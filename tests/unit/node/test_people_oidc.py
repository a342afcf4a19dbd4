"""Sign in by an OpenID provider: only whom it may sign in, only the browser that began, only with algorithms that were named."""

from __future__ import annotations

import hashlib
import hmac
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oidc_support import Provider, SigningKey
from people_support import HERE, House, LinkedHouse, oidc_config

from shieldwall.errors import BadInput, ConfirmFirst, Conflict, NotFound, NotSignedIn, TooMany, UsageError
from shieldwall.model.access import Kind
from shieldwall.node.people import fetching
from shieldwall.node.people.config import PeopleConfig
from shieldwall.node.people.doors import Doors
from shieldwall.node.people.fetching import Question, fetch
from shieldwall.node.people.oidc import checked_claims


def _unsigned(_):
    return b""


@pytest.fixture
def house(tmp_path):
    made = LinkedHouse(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory):
    made = LinkedHouse(tmp_path_factory.mktemp("house"))
    yield made
    made.store.close()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_whom_an_administrator_linked_comes_in_and_is_not_confirmed(tmp_path, algorithm):
    house = LinkedHouse(tmp_path, algorithm=algorithm)
    secret, session, identity = house.come()
    assert (identity.person, identity.kind, session.way) == (house.mara, Kind.PERSON, "oidc")
    session, identity = house.doors.session(secret, HERE)
    with pytest.raises(ConfirmFirst):
        house.doors.must_confirm(session)
    with pytest.raises(ConfirmFirst):
        house.doors.begin_registration(HERE, signed=(session, identity))
    house.doors.must_confirm(house.confirm((session, identity), house.key)[0])
    assert house.leaves("session.begin")[-1]["detail"] == {"way": "oidc"}
    house.store.close()


def test_whole_way_over_http(tmp_path):
    provider = Provider()
    with provider.serve():
        house = House(tmp_path, oidc=oidc_config(provider))
        provider.clock, house.fetch = house.clock, fetch
        person, _, _ = house.person("Mara")
        admin = house.sign_in(house.ada)
        house.doors.people.link(admin[1], person, provider.issuer, "mara-7", admin)
        url, cookie = house.doors.oidc_begin(HERE)
        state, code = provider.authorize(url)
        _, _, identity = house.doors.oidc_finish(HERE, state=state, code=code, cookie=cookie, issuer=provider.issuer)
        assert identity.person == person
        house.store.close()
    assert provider.asked == ["/.well-known/openid-configuration", "/token", "/keys"]


def test_transport_follows_no_redirect_and_reads_no_endless_answer():
    provider = Provider()
    with provider.serve():
        for path in ("/elsewhere", "/endless", "/nothing"):
            with pytest.raises(BadInput):
                fetch(Question(provider.issuer + path))
        assert provider.asked == ["/elsewhere", "/endless", "/nothing"]
        here = provider.issuer
    with pytest.raises(BadInput):
        fetch(Question(here + "/keys"))
    with pytest.raises(UsageError):
        fetch(Question("http://192.0.2.1/keys"))
    with pytest.raises(UsageError):
        fetch(Question("file:///etc/passwd"))


CLAIMS = {
    "another issuer": {"iss": "https://evil.example.org"},
    "an issuer that is almost it": {"iss": "https://login.example.org/"},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "several audiences and no party": {"aud": ["node", "other"]},
    "another party": {"aud": ["node", "other"], "azp": "other"},
    "another party alone": {"azp": "other"},
    "no end": {"exp": None},
    "an end that passed": {"exp": 1},
    "an end that is no number": {"exp": "4000000000"},
    "no beginning": {"iat": None},
    "a beginning that is true": {"iat": True},
    "a beginning long ago": {"iat": 1},
    "a beginning to come": {"iat": 4_000_000_000},
    "not before later": {"nbf": 4_000_000_000},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is a list": {"sub": ["mara-7"]},
    "a stranger": {"sub": "eve"},
}


@pytest.mark.parametrize("wrong", CLAIMS)
def test_token_that_says_the_wrong_thing_opens_nothing(shared_house, wrong):
    house = shared_house
    house.provider.claims = CLAIMS[wrong]
    with pytest.raises(NotSignedIn):
        house.come(house.somewhere())
    leaf = house.leaves("session.begin")[-1]
    assert (leaf["outcome"], leaf["detail"]["way"]) == ("refused", "oidc")
    house.provider.claims = {}
    house.come()


def test_signature_by_nobody_by_another_or_by_the_public_key_opens_nothing(tmp_path):
    house = LinkedHouse(tmp_path, algorithm="RS256")
    public = house.provider.key.public()["n"].encode()
    other = SigningKey("RS256")
    wrong = [
        ({"alg": "none"}, _unsigned),
        ({"alg": "None"}, _unsigned),
        ({"alg": "HS256"}, lambda data: hmac.digest(public, data, hashlib.sha256)),
        ({"alg": "ES256"}, None),
        ({"alg": "RS512"}, None),
        ({"alg": None}, None),
        ({}, other.sign),
        ({"kid": "unknown"}, None),
        ({"crit": ["exp"]}, None),
        ({"b64": False, "crit": ["b64"]}, None),
        ({}, _unsigned),
        ({"jwk": other.public(), "kid": None}, other.sign),
    ]
    for header, sign in wrong:
        house.provider.header, house.provider.sign = header, sign
        with pytest.raises(NotSignedIn):
            house.come(house.somewhere())
    house.provider.header, house.provider.sign = {"kid": None}, None
    house.come()
    house.store.close()


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "EdDSA ", "kid": None}, {"alg": ["EdDSA"]}, {"alg": "HS256"}]
)
def test_key_that_names_no_algorithm_is_for_no_other_than_its_own(tmp_path, monkeypatch, header):
    house = LinkedHouse(tmp_path, algorithm="EdDSA")
    bare = {name: value for name, value in house.provider.key.public().items() if name not in ("alg", "use")}
    monkeypatch.setattr(house.provider.key, "public", lambda: bare)
    house.come()
    house.provider.header = header
    for sign in (None, _unsigned):
        house.provider.sign = sign
        with pytest.raises(NotSignedIn):
            house.come(house.somewhere())
    house.store.close()


def test_answer_that_only_drips_ends_in_time(monkeypatch):
    provider = Provider()
    monkeypatch.setattr(fetching, "SECONDS", 0.3)
    with provider.serve():
        started = time.monotonic()
        with pytest.raises(BadInput):
            fetch(Question(f"{provider.issuer}/drip"))
        assert time.monotonic() - started < 2


def test_only_the_browser_that_began_may_finish_and_only_once(house):
    url, cookie = house.doors.oidc_begin(HERE)
    state, code = house.provider.authorize(url)
    with pytest.raises(NotSignedIn):
        house.doors.oidc_finish(HERE, state=state, code=code, cookie="another")
    with pytest.raises(NotSignedIn):
        house.doors.oidc_finish(HERE, state=state, code=code, cookie=cookie)
    url, cookie = house.doors.oidc_begin(HERE)
    state, code = house.provider.authorize(url)
    with pytest.raises(NotSignedIn):
        house.doors.oidc_finish(HERE, state=state, code=code, cookie=cookie, issuer="https://evil.example.org")
    url, cookie = house.doors.oidc_begin(HERE)
    state, code = house.provider.authorize(url)
    house.clock.pass_seconds(300)
    with pytest.raises(NotSignedIn):
        house.doors.oidc_finish(HERE, state=state, code=code, cookie=cookie)


def test_code_of_another_sign_in_is_refused_by_pkce_and_nonce(house):
    stolen, _ = house.doors.oidc_begin(HERE)
    _, code = house.provider.authorize(stolen)
    url, cookie = house.doors.oidc_begin(HERE)
    state, _ = house.provider.authorize(url)
    with pytest.raises(NotSignedIn):
        house.doors.oidc_finish(HERE, state=state, code=code, cookie=cookie)
    for code in ("", "x" * 100_000, "\ud800", "ü", "a\nb"):
        url, cookie = house.doors.oidc_begin(HERE)
        state, _ = house.provider.authorize(url)
        with pytest.raises(NotSignedIn):
            house.doors.oidc_finish(HERE, state=state, code=code, cookie=cookie)


def test_disabled_or_unlinked_person_does_not_come_in(house):
    admin = house.sign_in(house.ada)
    secret, _, _ = house.come()
    with pytest.raises(Conflict):
        house.doors.people.link(admin[1], house.mara, house.provider.issuer, "mara-7", admin)
    assert house.doors.people.links(admin[1], house.mara) == [(house.provider.issuer, "mara-7")]
    house.doors.people.unlink(admin[1], house.provider.issuer, "mara-7", admin)
    with pytest.raises(NotSignedIn):
        house.doors.session(secret, HERE)
    with pytest.raises(NotSignedIn):
        house.come()
    with pytest.raises(NotFound):
        house.doors.people.unlink(admin[1], house.provider.issuer, "mara-7", admin)
    house.doors.people.link(admin[1], house.mara, house.provider.issuer, "mara-7", admin)
    house.doors.people.disable(admin[1], house.mara, 1, admin)
    with pytest.raises(NotSignedIn):
        house.come()


def test_bans_hold_for_it_too(house):
    house.provider.claims = {"sub": "eve"}
    for _ in range(10):
        with pytest.raises(NotSignedIn):
            house.come()
    house.provider.claims = {}
    with pytest.raises(TooMany):
        house.come()


def test_new_key_of_the_provider_is_found_and_asked_for_once_a_minute(house):
    house.come()
    house.provider.key = SigningKey("ES256")
    house.clock.pass_seconds(61)
    house.come()
    assert house.provider.asked.count("/keys") == 2
    house.provider.header = {"kid": "unknown"}
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            house.come()
    assert house.provider.asked.count("/keys") == 2
    assert house.provider.asked.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://login.example.org/"},
        {"token_endpoint": "http://login.example.org/token"},
        {"authorization_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["x"]},
    ],
)
def test_provider_that_speaks_of_itself_wrongly_is_not_asked_further(house, wrong):
    house.provider.discovery = wrong
    with pytest.raises(BadInput):
        house.doors.oidc_begin(HERE)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"issuer": 1, "issuer": 2}', b"\xff", b"[" * 100_000])
def test_provider_that_answers_nonsense_gives_a_typed_error(house, body):
    house.fetch = lambda _: body
    with pytest.raises(BadInput):
        house.doors.oidc_begin(HERE)


def test_without_a_provider_there_is_none_and_without_the_extra_it_is_named(house, monkeypatch):
    alone = Doors(house.store, PeopleConfig(), house.clock)
    with pytest.raises(NotFound):
        alone.oidc_begin(HERE)
    with pytest.raises(NotFound):
        alone.oidc_finish(HERE, state="x", code="x", cookie="x")
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(UsageError, match=r"shieldwall\[oidc\]"):
        house.doors.oidc_begin(HERE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.example.org"},
        {"issuer": "https://user:pass@login.example.org"},
        {"redirect": "javascript:alert(1)"},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256", "RS256")},
        {"algorithms": ()},
        {"client_id": ""},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(UsageError):
        oidc_config(Provider(), **wrong)


def test_secret_is_in_no_text():
    assert "s3cret" not in repr(oidc_config(Provider()))


json_values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=4))
)
NAMES = ("iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub")


@given(claims=st.dictionaries(st.sampled_from(NAMES), json_values))
def test_any_claims_give_a_subject_or_a_typed_error(claims):
    with pytest.raises(BadInput):
        checked_claims(claims, oidc_config(Provider()), "n" * 43, 1_700_000_000)


@given(name=st.sampled_from(NAMES), value=json_values)
def test_one_claim_changed_never_gives_another_subject_without_the_signature_saying_so(name, value):
    now = 1_700_000_000
    sound = {"iss": "https://login.example.org", "aud": "node", "exp": now + 60, "iat": now, "nonce": "n", "sub": "s"}
    assert checked_claims(sound, oidc_config(Provider()), "n", now) == "s"
    try:
        found = checked_claims(sound | {name: value}, oidc_config(Provider()), "n", now)
    except BadInput:
        return
    assert found == (value if name == "sub" else "s")
    assert name in ("sub", "aud", "azp", "exp", "iat", "nbf") or value == sound[name]
