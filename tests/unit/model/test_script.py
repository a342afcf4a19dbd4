"""Locking scripts: a script and its kind and payload determine each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import UsageError
from shieldwall.model.script import Script, ScriptKind, assemble, classify, from_identity


@given(st.binary(max_size=120))
def test_there_and_back(text):
    script = classify(text)
    assert assemble(script) == text
    assert from_identity(f"{script.kind.label}:{script.payload.hex()}") == script
    assert script.payload in text


@given(st.sampled_from(list(ScriptKind)), st.binary(max_size=70))
def test_a_payload_that_does_not_fit_its_kind_is_refused(kind, payload):
    text = f"{kind.label}:{payload.hex()}"
    try:
        script = from_identity(text)
    except UsageError:
        assert classify(assemble(Script(kind, payload))) != Script(kind, payload)
    else:
        assert classify(assemble(script)) == script == Script(kind, payload)


@pytest.mark.parametrize("text", ["", "p2pk", "p2pk:", "p2pk:zz", "nothing:00", "p2pkh:00", ":", "p2pk:00:00"])
def test_texts_that_name_no_script(text):
    with pytest.raises(UsageError):
        from_identity(text)


def test_sizes_that_decide():
    assert not Script(ScriptKind.OTHER, bytes(10_000)).unspendable
    assert Script(ScriptKind.OTHER, bytes(10_001)).unspendable
    assert classify(b"\x6a").unspendable
