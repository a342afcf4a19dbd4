from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import attribution, sourced, subject, tag

from shieldwall.errors import BadText, UsageError
from shieldwall.intel import ReadOptions, actorpack, freezable_by, know, parse_directory, read_directory, shipped
from shieldwall.model.canonical import canonical_json

OWN = """\
dated = "2026-01-02"
[[entry]]
id = "harbour"
name = "Harbour Exchange (exercise)"
role = "exchange"
actors = ["harbour"]
labels = ["Harbour Exchange"]
country = "AT"
channel = "exercise desk"
[[entry.source]]
title = "exercise script"
stated_by = "other"
"""


def known(*claims):
    return know(subject(), sourced(*claims)).tags


def test_the_shipped_directory_is_dated_and_every_entry_has_a_source_with_an_address():
    directory = shipped()
    assert date.fromisoformat(directory.dated).year >= 2026
    assert {"binance", "okx", "tether", "circle"} <= {entry.id for entry in directory.entries}
    for entry in directory.entries:
        assert all(source.url.startswith("https://") for source in entry.sources)
        assert entry.requires
        assert entry.channel or entry.role == "issuer" or entry.id == "huobi", "no channel stated: see its sources"
        assert len(entry.country) in (0, 2)
        assert bool(entry.assets) == (entry.role == "issuer")
        assert all(source.as_of <= directory.dated for source in entry.sources)


def test_its_actors_are_those_of_the_actor_pack():
    path = attribution("tagpacks", "graphsense.actorpack.yaml")
    ids = {claim.subject.name for claim in actorpack.parse(path.read_bytes(), str(path), ReadOptions()).claims}
    for entry in shipped().entries:
        assert ids & set(entry.actors), entry.id


def test_a_tagged_service_leads_to_its_entry_by_actor_or_by_label():
    directory = shipped()
    by_actor = freezable_by(known(tag("reserve wallets", category="exchange", actor="okex")), directory)
    assert [(freezer.entry.id, freezer.because) for freezer in by_actor.freezers] == [("okx", ("reserve wallets",))]
    by_label = freezable_by(known(tag("BINANCE.COM", category="exchange")), directory)
    assert [freezer.entry.id for freezer in by_label.freezers] == ["binance"]
    assert by_label.dated == directory.dated


def test_a_service_that_is_not_in_the_directory_is_said_to_be_so():
    answer = freezable_by(known(tag("Obscure", category="exchange"), tag("X", abuse="scam")), shipped())
    assert (answer.freezers, answer.unlisted) == ((), ("Obscure",))


def test_a_label_of_another_actor_does_not_match():
    answer = freezable_by(known(tag("Binance", category="exchange", actor="impostor")), shipped())
    assert (answer.freezers, answer.unlisted) == ((), ("Binance",))


def test_the_thief_of_an_exchange_is_not_the_exchange():
    answer = freezable_by(known(tag("Binance", abuse="service_hack", actor="binance")), shipped())
    assert (answer.freezers, answer.unlisted) == ((), ())


def test_an_issuer_can_freeze_its_token_anywhere_and_no_coin():
    assert [freezer.entry.id for freezer in freezable_by((), shipped(), asset="usdt").freezers] == ["tether"]
    assert freezable_by((), shipped(), asset="BTC").freezers == ()


def test_a_directory_of_ones_own_adds_and_replaces(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace('id = "harbour"', 'id = "binance"'))
    joined = shipped().with_further(read_directory(path))
    assert joined.dated == "2026-01-02"
    assert len(joined.entries) == len(shipped().entries)
    names = [entry.name for entry in joined.entries if entry.id == "binance"]
    assert names == ["Harbour Exchange (exercise)"]
    added = shipped().with_further(parse_directory(OWN.encode(), "own.toml"))
    answer = freezable_by(known(tag("Harbour Exchange", category="exchange")), added)
    plain = answer.as_dict()
    assert plain["freezable_by"][0]["legal_entity"] == ""
    assert plain["freezable_by"][0]["sources"][0]["stated_by"] == "other"
    assert canonical_json(plain)


def test_a_missing_directory_is_the_callers(tmp_path):
    with pytest.raises(UsageError):
        read_directory(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("dated = ", "x = "), "needs its date"),
        (('"2026-01-02"', '"soon"'), "which is no date"),
        (('id = "harbour"', 'id = ""'), "needs an id"),
        (('role = "exchange"', 'role = "bank"'), "the role 'bank'"),
        (("country", "land"), "no field 'land'"),
        (('stated_by = "other"', ""), "a source has"),
        (("[[entry.source]]", "[[other]]"), "without a source"),
        (("actors = [", "actors = [["), "not TOML"),
        (('actors = ["harbour"]', "actors = [true]"), "'actors' must be text"),
        (("[[entry]]", "[entry]"), "lists of tables"),
    ],
)
def test_what_breaks_the_form_names_file_and_entry(change, what):
    with pytest.raises(BadText, match=what) as caught:
        parse_directory(OWN.replace(*change).encode(), "own.toml")
    assert str(caught.value).startswith("own.toml")


def test_two_entries_of_one_id_are_refused():
    entry = OWN.partition("\n")[2]
    with pytest.raises(BadText, match="two entries"):
        parse_directory((OWN + entry).encode(), "own.toml")


@given(st.binary(max_size=100) | st.text('entry[]="\n.sourcad 1', max_size=60).map(str.encode))
def test_anything_is_a_directory_or_bad_text(raw):
    with pytest.raises(BadText):
        parse_directory(raw, "own.toml")
