"""What casework reads from outside: intakes, answers, requests, packages, and the tables of recipients, laws and clocks.

`fuzz_targets` joins them to its table. Of a package the part that is changed is put into one that is signed anew, so that it gets
behind the manifests and the signature.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from fuzz_folder import Target, text_of
from pack_support import packed, resigned

from shieldwall.cases.clocks import deadlines, read_clocks
from shieldwall.cases.custody import Entry
from shieldwall.cases.intake import read_intake
from shieldwall.cases.legal import read_legal
from shieldwall.cases.letter import as_html, compose
from shieldwall.cases.pack import verifier
from shieldwall.cases.recipients import read_profiles
from shieldwall.cases.reply import read_reply
from shieldwall.cases.request import Request
from shieldwall.cases.wording import mixed, sentences
from shieldwall.errors import BadInput
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json


def intake_file(data: bytes) -> None:
    """An intake that is taken comes back from its own file."""
    found = read_intake(data)
    assert read_intake(canonical_json(found.as_dict())) == found


def reply_file(data: bytes) -> None:
    """So does an answer."""
    found = read_reply(data)
    assert read_reply(canonical_json(found.as_dict())) == found


def request_file(data: bytes) -> None:
    """So does a request, with its digest; and a letter can be made of it."""
    found = Request.from_dict(parse_json(data, "here"), "here")
    again = Request.from_dict(parse_json(found.to_json().encode(), "again"), "again")
    assert (again, again.digest) == (found, found.digest)
    assert "<script" not in as_html(compose(found))
    assert found.to_csv()


def custody_entry(data: bytes) -> None:
    """An entry that is taken is what its digest says."""
    found = Entry.from_dict(parse_json(data, "here"))
    assert Entry.from_dict(found.as_dict()) == found


def reference_tables(data: bytes) -> None:
    """Recipients, laws and clocks of a node's own; clocks that are taken can be counted."""
    text = text_of(data)
    for read in (read_profiles, read_legal):
        with suppress(BadInput):
            read(text, "here")
    found = read_clocks(text, "here")
    assert len(deadlines(found.clocks, {"found": "2026-10-01T08:00:00Z", "paid": "yes"}, 0)) <= len(found.clocks)


def analytic_words(data: bytes) -> None:
    """No text loses anything by being cut into sentences, and every mixed one is a sentence of it."""
    text = text_of(data)
    parts = sentences(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(each.sentence in parts for each in mixed(text))


def evidence_pack(data: bytes) -> None:
    """Any bytes as a package, and as parts of one that a sender signs: good, or refused by name."""
    _good_or_refused(data)
    for name in ("data/pack.json", "data/claims/attribution.json", "data/claims/retracted.json"):
        _good_or_refused(resigned({**_files(), name: data}))
    chain = next(name for name in _files() if name.startswith("data/traces/"))
    _good_or_refused(resigned({**_files(), chain: data}))
    with suppress(verifier.NotGood):
        verifier.verify_signed(b"x", data, _files()["keys.json"])
    with suppress(verifier.NotGood):
        verifier.verify_signed(b"x", _files()[verifier.SIGNATURE], data)


def _good_or_refused(raw: bytes) -> None:
    try:
        told = verifier.told(verifier.verify(raw))
    except verifier.NotGood as error:
        assert error.name in verifier.NAMES
        assert error.words.isprintable()
    else:
        assert all(line.isprintable() for line in told.splitlines())


@cache
def _files() -> dict[str, bytes]:
    return verifier.unpack(packed())


def casework_seeds() -> dict[str, list[bytes]]:
    """What each target begins with."""
    intake = {
        "format": "shieldwall-intake/1",
        "answers": {"what": "x", "found": "2026-10-01", "paid": "no"},
        "first_hour": ["1"],
    }
    reply = {
        "format": "shieldwall-reply/1", "request": "r", "digest": "d", "outcome": "held", "amount": 5, "until": "2027-01-01",
        "moved_to": "", "reference": "", "contact": "", "words": "", "made_at": "2026-10-02T08:00:00Z",
    }  # fmt: skip
    log = parse_json(_files()["data/pack.json"], "seed")["evidence"][0]["custody"]
    clock = (
        'dated = "2026-11-30"\n[[clock]]\nid = "x"\nname = "X"\nregime = "A"\njurisdiction = "FR"\napplies_to = "all"\n'
        'starts = "aware"\nhours = 24\nto = "t"\nwhat = "w"\nverified = false\n'
    )
    law = 'dated = "d"\n[[profile]]\nid = "x"\nname = "X"\ninstrument = "A"\nkinds = ["freeze"]\nverified = true\n'
    return {
        "intake_file": [canonical_json(intake)],
        "reply_file": [canonical_json(reply)],
        "request_file": [Request(case_number="K", narrative="<script>").to_json().encode()],
        "custody_entry": [canonical_json(entry) for entry in log],
        "reference_tables": [clock.encode(), law.encode()],
        "analytic_words": ["It is likely. We have high confidence, e.g. so. おそらく。確度は高い。".encode()],
        "evidence_pack": [
            _files()["data/pack.json"], _files()["data/claims/attribution.json"], _files()["keys.json"],
            _files()[verifier.SIGNATURE], verifier.bundle({"bagit.txt": b"x"}),
        ],
    }  # fmt: skip


TARGETS: dict[str, Target] = {
    "intake_file": intake_file,
    "reply_file": reply_file,
    "request_file": request_file,
    "custody_entry": custody_entry,
    "reference_tables": reference_tables,
    "analytic_words": analytic_words,
    "evidence_pack": evidence_pack,
}
"""Name -> function."""
