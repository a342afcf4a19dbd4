"""The forms of the API: problems, strict bodies, limits, cursors, versions, idempotency keys, hosts, headers, uploads."""

from __future__ import annotations

import io
import json
import logging
import struct
import zipfile
import zlib
from collections.abc import Iterator

import pytest
from web_support import Caller, Site, address_of, site_in

from shieldwall.errors import StoreError
from shieldwall.model.access import Permission, Role
from shieldwall.store.cases import Cases
from shieldwall.web.bodies import JSON_MOST, PATH_MOST
from shieldwall.web.pages.rendering import static_path
from shieldwall.web.repeats import Repeats

PROBLEM = "application/problem+json"
SECRET = "sw_" + "ab" * 16 + "_" + "cd" * 32


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def mara(site) -> Caller:
    return site.session(site.person("Mara", *Role))


@pytest.fixture(scope="module")
def paul(site) -> Caller:
    return site.session(site.person("Paul", Role.ANALYST))


def post(caller: Caller, path: str, body: bytes, **headers: str):
    return caller.ask("POST", path, body=body, headers={"content-type": "application/json", **headers})


# problems (RFC 9457)


def test_every_mistake_is_answered_as_problem_details(site, mara):
    answers = [
        (404, mara.get("//nothing")),
        (404, mara.get("/nothing")),
        (404, mara.get("/cases/" + "0" * 32)),
        (405, mara.ask("PUT", "/cases")),
        (422, mara.get("/cases?most=0")),
        (422, mara.post("/cases", {})),
        (401, site.nobody.get("/cases")),
        (421, mara.get("/cases", headers={"host": "evil.example"})),
        (414, mara.get("/search?q=" + "x" * PATH_MOST)),
        (415, mara.post("/cases", {}, headers={"content-encoding": "gzip"})),
        (428, mara.patch("/cases/" + mara.post("/cases", {"title": "t"}).json["id"], {"title": "u"})),
    ]
    for status, answer in answers:
        assert answer.status == status, answer.text
        assert answer.headers["content-type"] == PROBLEM
        assert set(answer.json) <= {"type", "title", "status", "detail", "hint"}
        assert answer.json["status"] == status
        assert answer.json["type"].startswith("urn:shieldwall:problem:")
        assert answer.json["detail"]
        assert "Traceback" not in answer.text


def test_what_was_sent_is_never_said_back(site, mara):
    for answer in (
        mara.post("/cases", {"title": "t", SECRET: SECRET}),
        mara.post("/cases", {"title": {SECRET: SECRET}}),
        mara.get(f"/cases?status={SECRET}"),
        mara.get(f"/cases?cursor={SECRET}"),
        mara.get(f"/cases/{SECRET}"),
        mara.post("/registration/begin", {"secret": SECRET}),
        Caller(site, {"authorization": f"Bearer {SECRET}"}, "192.0.2.50").get("/session"),
        Caller(site, {"cookie": f"{site.node.cookie}={SECRET}"}, "192.0.2.50").get("/session"),
        mara.ask("POST", "/cases", body=f'{{"{SECRET}": {SECRET}'.encode()),
    ):
        assert answer.status >= 400
        assert SECRET not in answer.text


def test_a_fault_of_the_program_is_answered_and_logged_without_a_word_of_data(site, mara, monkeypatch, caplog):
    def broken(self, *_, **__):
        raise RuntimeError(f"no such row: {SECRET}")

    monkeypatch.setattr(Cases, "add", broken)
    with caplog.at_level(logging.DEBUG):
        answer = mara.post("/cases", {"title": SECRET})
    assert (answer.status, answer.headers["content-type"]) == (500, PROBLEM)
    assert answer.headers["content-security-policy"]
    assert SECRET not in answer.text
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text
    assert all(record.exc_info is None for record in caplog.records if record.name.startswith("shieldwall"))


def test_no_audit_no_answer(site, mara, monkeypatch):
    def full(*_):
        raise StoreError("the disk is full")

    monkeypatch.setattr("shieldwall.store.audit.AuditLog.append", full)
    answer = mara.get("/cases")
    assert (answer.status, answer.json["type"]) == (503, "urn:shieldwall:problem:no-audit-no-answer")
    assert mara.post("/cases", {"title": "never"}).status == 503
    monkeypatch.undo()
    assert mara.get("/search?q=never").json["hits"] == []


# bodies


@pytest.mark.parametrize(
    "body",
    [
        b'{"title":"a","title":"b"}',
        b'{"title":"a","silent":NaN}',
        b'{"title":"a","silent":Infinity}',
        b'{"title":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"title":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
        b'{"title":' + b"9" * 100_000 + b"}",
        b'{"title":"\\ud800"}',
        b'{"title":"\xff\xfe"}',
        b'\xef\xbb\xbf{"title":"a"}',
        b'{"title":"a"} {}',
        b'{"title":"a"',
        b"",
        b"null",
        b'["title"]',
        b'"title"',
        b'{"title":7}',
        b'{"title":"a","silent":"yes"}',
        b'{"title":"a","silent":1}',
        b'{"title":"a","marking":"TLP:PINK"}',
        b'{"title":"a","owner":"me"}',
        b'{"title":""}',
    ],
)
def test_a_body_that_means_more_or_less_than_one_thing_is_refused(mara, body):
    answer = post(mara, "/cases", body)
    assert answer.status == 422, answer.text
    assert answer.headers["content-type"] == PROBLEM


def test_what_is_too_large_is_refused_before_it_is_read(site, mara):
    assert mara.ask("POST", "/cases", headers={"content-length": str(JSON_MOST + 1)}).status == 413
    assert mara.ask("POST", "/cases", headers={"content-length": "1e9"}).status == 413
    assert mara.ask("POST", "/cases", headers={"content-length": "9" * 400}).status == 413
    pieces = (b" " * 65_536 for _ in range(40))
    answer = mara.ask("POST", "/cases", pieces=pieces, headers={"content-type": "application/json"})
    assert (answer.status, answer.headers["content-type"]) == (413, PROBLEM)
    assert mara.ask("POST", "/cases", body=zlib.compress(b"{}"), headers={"content-encoding": "deflate"}).status == 415


# cursors


def _paged(caller: Caller, path: str) -> str:
    found: str = caller.get(f"{path}?most=1").json["next"]
    return found


def test_a_cursor_is_for_one_person_and_one_list(site, mara, paul):
    for caller in (mara, paul):
        for number in range(3):
            assert caller.post("/cases", {"title": f"case {number}"}).status == 201
            name = f"/files?name=f{number}&marking=TLP%3AGREEN"
            assert caller.ask("POST", name, body=b"x").status == 201
    cursor = _paged(mara, "/cases")
    assert mara.get(f"/cases?most=1&cursor={cursor}").status == 200
    assert paul.get(f"/cases?most=1&cursor={cursor}").status == 422
    assert mara.get(f"/files?most=1&cursor={cursor}").status == 422
    assert mara.get(f"/cases?most=1&cursor={cursor[:-2]}").status == 422
    assert mara.get("/cases?cursor=AAAA").status == 422
    first = mara.get("/cases?most=1").json["cases"][0]["id"]
    assert first not in cursor
    assert _paged(mara, "/cases") != cursor  # sealed anew each time: two places cannot be told to be the same


def test_pages_have_everything_once(mara):
    found, cursor = [], ""
    while True:
        page = mara.get(f"/files?most=1&cursor={cursor}").json
        found += [file["id"] for file in page["files"]]
        cursor = page.get("next", "")
        if not cursor:
            break
    assert found == [file["id"] for file in mara.get("/files?most=200").json["files"]]
    assert len(set(found)) == len(found) >= 6


# versions (RFC 9110)


def test_a_change_names_the_version_that_it_changes(mara):
    case = mara.post("/cases", {"title": "first"}).json
    path = f"/cases/{case['id']}"
    etag = mara.get(path).headers["etag"]
    assert mara.get(path, headers={"if-none-match": etag}).status == 304
    assert mara.get(path, headers={"if-none-match": f'W/{etag}, "x"'}).status == 304
    assert mara.get(path, headers={"if-none-match": '"x"'}).status == 200
    assert mara.patch(path, {"title": "second"}).status == 428
    assert mara.patch(path, {"title": "second"}, headers={"if-match": '"x"'}).status == 412
    assert mara.patch(path, {"title": "second"}, headers={"if-match": etag}).json["title"] == "second"
    stale = mara.patch(path, {"title": "third"}, headers={"if-match": etag})
    assert (stale.status, stale.json["type"]) == (412, "urn:shieldwall:problem:stale")
    assert mara.get(path).json["title"] == "second"
    assert mara.get(path).headers["etag"] != etag


# idempotency keys


def _cases(caller: Caller, title: str) -> int:
    return sum(case["title"] == title for case in caller.get("/cases?most=200").json["cases"])


def test_a_write_that_is_sent_twice_is_done_once(mara, paul):
    key = {"idempotency-key": "one"}
    token = mara.site.token(mara.person, Permission.READ, Permission.WRITE)
    once, again = (token.post("/claims", _note("once"), headers=key) for _ in range(2))
    assert (once.status, once.body) == (again.status, again.body)
    assert (once.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    other = token.post("/claims", _note("another"), headers=key)
    assert (other.status, other.json["type"]) == (409, "urn:shieldwall:problem:conflict")
    assert paul.post("/claims", _note("once"), headers=key).json["id"] != once.json["id"]  # a key is one person's own
    assert token.post("/claims", _note("once"), headers={"idempotency-key": "k" * 5000}).status == 400


def test_a_write_that_failed_frees_its_key(mara):
    key = {"idempotency-key": "freed"}
    assert mara.post("/cases", {"title": ""}, headers=key).status == 422
    assert mara.post("/cases", {"title": "freed", "people": ["0" * 32]}, headers=key).status == 404
    assert mara.post("/cases", {"title": "freed"}, headers=key).status == 201
    assert _cases(mara, "freed") == 1


def test_a_write_whose_end_is_not_known_is_not_done_again(mara, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Repeats, "end", killed)
    monkeypatch.setattr(Repeats, "forget", killed)
    with pytest.raises(KeyboardInterrupt):
        mara.post("/cases", {"title": "cut off"}, headers={"idempotency-key": "cut"})
    monkeypatch.undo()
    again = mara.post("/cases", {"title": "cut off"}, headers={"idempotency-key": "cut"})
    assert again.status == 409
    assert "not known" in again.json["detail"]
    assert _cases(mara, "cut off") == 1


def _note(text: str):
    subject = {"type": "address", "chain": "x", "name": address_of("watched")}
    return {
        "subject": subject,
        "kind": "note",
        "statement": {"text": text},
        "layer": "observation",
        "marking": "TLP:GREEN",
        "at": "2026-01-01",
    }


# where it is asked from


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:1", "127.0.0.1:8420", "", "localhost:8420.evil"]
)
def test_another_host_name_is_not_answered(mara, host):
    assert mara.get("/health", headers={"host": host}).status == 421
    assert mara.get("//sign-in", headers={"host": host}).status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost", "https://localhost:8420", ""])
def test_a_write_with_a_session_comes_from_our_own_pages(site, mara, origin):
    before = site.store.audit_size()
    answer = mara.post("/cases", {"title": "t"}, headers={"origin": origin})
    assert (answer.status, answer.json["type"]) == (403, "urn:shieldwall:problem:not-allowed")
    assert site.store.audit_size() >= before
    assert mara.get("/cases", headers={"origin": origin}).status == 200


def test_a_write_with_a_token_needs_no_origin(site, mara):
    token = site.token(mara.person, Permission.WRITE)
    assert token.post("/claims", _note("by token")).status == 201


def test_every_answer_keeps_a_browser_strict(site, mara):
    answers = [
        mara.get("/cases"),
        mara.get("/nothing"),
        mara.get("//sign-in"),
        mara.get("//" + static_path("sign-in.js").lstrip("/")),
        mara.get("//"),
        mara.get("//node"),
        mara.get("//nothing"),
        mara.get("/openapi.json"),
        site.nobody.get("/cases"),
        mara.get("/cases", headers={"host": "evil.example"}),
        mara.post("/cases", {"title": 7}),
        mara.get("/search?q=" + "x" * PATH_MOST),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        kept = "public, max-age=31536000, immutable"  # a file whose name holds its digest
        assert answer.headers["cache-control"] in {"no-store", kept}
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_a_file_is_only_ever_saved(mara):
    name = "/files?name=a.html&media_type=text/html&marking=TLP%3AGREEN&pap=PAP%3AGREEN"
    file = mara.ask("POST", name, body=b"<script>alert(1)</script>").json["id"]
    answer = mara.get(f"/files/{file}/content")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="a.html.bin"'


def test_a_session_s_cookie_is_for_this_host_alone(site, mara):
    assert "set-cookie" not in mara.get("/session").headers
    ended = site.session(mara.person).delete("/session")
    assert "HttpOnly" in ended.headers["set-cookie"]
    assert "SameSite=strict" in ended.headers["set-cookie"]


# uploads


def _zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return raw.getvalue()


def _csv(label: str = "service") -> bytes:
    return f"address,label,category\n{address_of('watched')},{label},exchange\n".encode()


def upload(caller: Caller, name: str, raw: bytes):
    return caller.ask("POST", f"/tag-sets?file={name}&network=regtest&marking=TLP%3AGREEN", body=raw)


def test_a_zip_bomb_is_inert(mara):
    bomb = _zip({f"{number}.csv": bytes(8 << 20) for number in range(12)})
    assert len(bomb) < 1 << 20
    answer = upload(mara, "bomb.zip", bomb)
    assert answer.status == 422
    assert "unpacks to more" in answer.json["detail"]


def test_a_zip_that_lies_about_its_size_is_inert(mara):
    raw = bytearray(_zip({"a.csv": bytes(70 << 20)}))
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 10)
    assert upload(mara, "liar.zip", bytes(raw)).status == 422


def test_a_zip_within_a_zip_is_refused(mara):
    answer = upload(mara, "nested.zip", _zip({"inner.csv": _zip({"a.csv": _csv()})}))
    assert answer.status == 422
    assert "zip within a zip" in answer.json["detail"]


def test_very_many_files_in_a_zip_are_refused(mara):
    assert upload(mara, "many.zip", _zip({f"{number}.csv": b"" for number in range(500)})).status == 422


@pytest.mark.parametrize("raw", [b"PK\x03\x04", b"PK" + bytes(100), _zip({"a.csv": b"x"})[:-10]])
def test_a_broken_zip_is_refused(mara, raw):
    assert upload(mara, "broken.zip", raw).status == 422


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x.csv", "/etc/passwd.csv", "C:\\windows\\x.csv", "..%2fx.csv", "a/../../b.csv"]
)
def test_a_path_in_a_zip_is_a_label(site, mara, name, tmp_path):
    before = sorted(str(path) for path in site.node.home.path.rglob("*"))
    answer = upload(mara, "paths.zip", _zip({name: _csv(f"label {name}")}))
    assert answer.status in {201, 400, 422}, answer.text
    assert "/" not in "".join(each["name"] for each in answer.json.get("sets", ()))
    after = sorted(str(path) for path in site.node.home.path.rglob("*"))
    assert after == before


@pytest.mark.parametrize("name", ["../../x", "..", "/etc/passwd", "a\\..\\b", "x\x00y", "\u202egpj.exe"])
def test_a_file_s_name_is_a_label(mara, name):
    from urllib.parse import quote

    answer = mara.ask("POST", f"/files?name={quote(name)}&marking=TLP%3AGREEN", body=b"x")
    assert answer.status == 201, answer.text
    shown = answer.json["name"]
    assert not {"/", "\\", "\x00", "\u202e"} & set(shown)
    assert shown.strip(". ")


@pytest.mark.parametrize(
    "raw",
    [
        b"a: &a [x, x]\nb: [*a, *a, *a]\n",
        b"title: x\ntitle: y\ncreator: z\ntags: []\n",
        b"- " * 50_000,
        json.dumps({"title": "x", "creator": "y", "tags": [[[[]]]] * 5}).encode(),
        b"!!python/object/apply:os.system ['true']\n",
    ],
)
def test_a_hostile_pack_is_refused(mara, raw):
    assert upload(mara, "pack.yaml", raw).status in {400, 422}
