"""Problem details become the errors that the node raised."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall import errors
from shieldwall.client.problems import MEDIA_TYPE, error_of
from shieldwall.web.problems import Stale, Unversioned, of_error


def told(error):
    """What the client makes of the node's own answer to an error."""
    answer = of_error(error)
    return error_of(
        answer.status_code, answer.headers["content-type"], answer.body, answer.headers.get("retry-after", ""), "call"
    )


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (errors.NotSignedIn, errors.NotSignedIn),
        (errors.ConfirmFirst, errors.ConfirmFirst),
        (errors.NotAllowed, errors.NotAllowed),
        (errors.NotFound, errors.NotFound),
        (errors.Conflict, errors.Conflict),
        (Stale, errors.Conflict),
        (Unversioned, errors.Refused),
        (errors.Refused, errors.Refused),
        (errors.AuditFailed, errors.AuditFailed),
        (errors.Tampered, errors.StoreError),
        (errors.WrongKey, errors.StoreError),
        (errors.PartialData, errors.PartialData),
        (errors.BadInput, errors.BadInput),
        (errors.UnknownAddress, errors.BadInput),
        (errors.UsageError, errors.UsageError),
        (errors.ShieldwallError, errors.ShieldwallError),
    ],
)
def test_what_the_node_raises_the_client_raises(raised, expected):
    found = told(raised("it is so", hint="do that"))
    assert type(found) is expected
    assert (found.message, found.hint) == ("call: it is so", "do that")


def test_when_to_come_again():
    found = told(errors.TooMany("slowly", seconds=17))
    assert (type(found), found.seconds) == (errors.TooMany, 17)
    for words in ("", "soon", "-1", "9" * 30, "١"):
        assert error_of(429, "", b"", words, "call").seconds == 0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.UsageError),
        (401, errors.NotSignedIn),
        (403, errors.NotAllowed),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.BadInput),
        (418, errors.UsageError),
        (429, errors.TooMany),
        (502, errors.ShieldwallError),
        (503, errors.ShieldwallError),
    ],
)
def test_without_words_the_status_decides(status, expected):
    found = error_of(status, "text/plain", b"Service Unavailable", "", "call")
    assert type(found) is expected
    assert "Service" not in str(found)


def test_another_programs_words_do_not_reach_a_terminal_as_they_are():
    body = json.dumps({"type": "x", "detail": "a\x1b[2Jb\nc" + "d" * 9000, "hint": ["no text"]}).encode()
    found = error_of(500, MEDIA_TYPE, body, "", "call")
    assert found.message.startswith("call: a [2Jb cd")
    assert len(found.message) < 2100
    assert found.hint == ""


@given(st.integers(300, 599), st.sampled_from((MEDIA_TYPE, "text/html")), st.binary(max_size=200), st.text(max_size=9))
def test_any_answer_is_an_error_of_ours(status, media_type, body, retry):
    found = error_of(status, media_type, body, retry, "call")
    assert isinstance(found, errors.ShieldwallError)
    assert found.message.startswith("call: ")
    assert found.message.isprintable()
