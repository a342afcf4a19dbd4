"""The API does what its OpenAPI says, whatever is sent: schemathesis over every operation, signed in by session and by token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis.openapi
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from web_support import ORIGIN, Caller, Site, address_of, site_in

from shieldwall.model.access import Handling, Permission, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.operators import NODE
from shieldwall.store.ids import new_id
from shieldwall.store.watches import NewAlarm
from shieldwall.web.app import openapi_document
from shieldwall.web.routes import cases as case_routes

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NEGATIVE = [*CHECKS, negative_data_rejection]
BYTES = {
    "POST /api/v1/files",
    "POST /api/v1/tag-sets",
    "POST /api/v1/cases/{case_id}/evidence",
    "POST /api/v1/requests/{request_id}/reply",
}
"""Operations that take any bytes: no body is wrong in form."""
STREAM = "GET /api/v1/jobs/{job_id}/events"
"""Events: OpenAPI 3.1 describes the stream as a text, and schemathesis holds each event to that, as OpenAPI 3.2 would."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def schema(site):
    return described(site)


def described(site: Site):
    """The document as schemathesis has it: who comes in is for the tests of access, and not for it to try."""
    document = openapi_document(site.app)
    del document["components"]["securitySchemes"]
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security")
    schema = schemathesis.openapi.from_dict(document)
    refused = schema.config.checks.negative_data_rejection.expected_statuses
    schema.config.checks.negative_data_rejection.expected_statuses = [
        *refused,
        "413",
        "414",
    ]  # too long is refused as well
    return schema


@pytest.fixture(scope="module")
def there(site) -> dict[str, str]:
    """Ids of things that are there, by the names of path parameters."""
    return furnish(site)


def furnish(site: Site) -> dict[str, str]:
    """One thing of every kind, and somebody with every role who sees them."""
    person = site.person("Mara", *Role)
    session, open_to_all = site.session(person), {"marking": "TLP:GREEN", "pap": "PAP:GREEN"}
    subject = address_of("watched")
    note = {
        "subject": {"type": "address", "chain": "x", "name": subject},
        "kind": "note",
        "statement": {"text": "seen"},
    }
    group = session.post("/groups", {"name": "A group"}).json["id"]
    case = session.post("/cases", {"title": "A case", **open_to_all}).json["id"]
    claim = session.post("/claims", {**note, "layer": "observation", **open_to_all}).json["id"]
    file = session.ask("POST", "/files?name=a.txt&marking=TLP:GREEN&pap=PAP:GREEN", body=b"bytes").json["id"]
    job = session.post("/traces", {"targets": [subject], "handling": open_to_all}).json["id"]
    assert site.node.runner.run_one()
    trace = session.get(f"/jobs/{job}").json["outcome"]["file"]
    sheet = session.post(f"/traces/{trace}/sheet/saved", {"title": "As it was"}).json["id"]
    watch = session.post("/watches", {"kind": "address", "target": subject, "handling": open_to_all}).json["id"]
    asked = {"thing": "file", "id": file, "marking": "TLP:CLEAR", "pap": "PAP:CLEAR", "reason": "why"}
    approval = session.post("/approvals", asked).json["id"]
    token = site.token(person, Permission.READ).token
    piece = session.ask("POST", f"/cases/{case}/evidence?name=a.txt&method=copied&source=here", body=b"bytes")
    asked_for = session.post(f"/cases/{case}/requests", {"kind": "inform"})
    said = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--5c066053-0e94-46eb-9746-4b7d950d2000",
        "created": "2026-01-01T00:00:00Z",
        "modified": "2026-01-01T00:00:00Z",
        "pattern": "[domain-name:value = 'a.example']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    }
    body = json.dumps({"objects": [said]}).encode()
    assert session.ask("POST", "/stix/objects?marking=TLP:GREEN&pap=PAP:GREEN", body=body).json["added"] == 1
    with site.store.act(site.identity(person), "test.share") as work:
        partners = work.partners.add_group("Allies").id
        ally = work.partners.add("Ally", highest=Marking.GREEN).id
        target = {"kind": "taxii", "url": "https://a.example/r/collections/x/", "allow_private": False}
        source = work.sources.put({**target, "marking": 4, "pap": 3}, Handling(owner=person), every=0).id
    asked = {"title": "Things", "group": partners, "highest": "TLP:GREEN"}
    collection = session.post("/collections", asked).json["id"]
    with site.store.act(NODE, "test.ring") as work:
        (found,) = work.watches.active()
        handling = Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=person)
        new = NewAlarm(event=("e",), body={"event": "received", "say": "said", "do": []}, handling=handling)
        (alarm,) = work.watches.ring(found, dict(found.seen), [new], [("mail", person)])
    return {
        "person_id": person,
        "group_id": group,
        "case_id": case,
        "claim_id": claim,
        "file_id": file,
        "evidence_id": piece.json["id"],
        "request_id": asked_for.json["id"],
        "travel_id": "0" * 32,
        "job_id": job,
        "trace_id": trace,
        "sheet_id": sheet,
        "watch_id": watch,
        "alarm_id": alarm.id,
        "approval_id": approval,
        "token_id": token,
        "address": subject,
        "number": "0",
        "height": "1",
        "txid": "0" * 64,
        "passkey_id": "AAAA",
        "stix_id": said["id"],
        "collection_id": collection,
        "partner_id": ally,
        "source_id": source,
    }


class Tries:
    """What is sent, and by whom.

    Args:
        site: The node.
        person: With every role.
        way: session, token, or viewer: a session of somebody who may only read.
    """

    def __init__(self, site: Site, person: str, way: str) -> None:
        self.site = site
        self.way = way
        self.person = person
        self.viewer = site.person(f"Viewer {new_id()}", Role.VIEWER)
        self.statuses: set[int] = set()

    def caller(self) -> Caller:
        """A fresh one: some operations sign out."""
        if self.way == "token":
            return self.site.token(self.person, Permission.READ, Permission.WRITE, Permission.AUDIT)
        return self.site.session(self.viewer if self.way == "viewer" else self.person)

    def send(self, case: Any) -> Response:
        """Send a case as it is, but for who sends it."""
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        case.cookies = {}
        asked = case.as_transport_kwargs(base_url=ORIGIN)
        names = ("method", "url", "headers", "params", "json", "data", "files")
        prepared = requests.Request(**{name: asked.get(name) for name in names}).prepare()
        body = prepared.body or b""
        headers = {name: value for name, value in prepared.headers.items() if name.lower() != "content-length"}
        whose = self.caller()
        answer = whose.ask(
            prepared.method,
            "/" + prepared.path_url,
            body=body.encode() if isinstance(body, str) else body,
            headers=headers | dict(whose.headers),
            first_only=True,
        )
        self.statuses.add(answer.status)
        return Response(
            status_code=answer.status,
            headers={name: [value] for name, value in answer.headers.items()},
            content=answer.body,
            request=prepared,
            elapsed=timedelta(milliseconds=1).total_seconds(),
            verify=False,
        )


def try_all(
    site: Site, schema, there: dict[str, str], way: str, examples: int, modes=tuple(GenerationMode)
) -> set[int]:
    """Try every operation; returns the statuses that were seen."""
    tries, wrong = Tries(site, there["person_id"], way), []
    for found in schema.get_all_operations():
        operation = found.ok()
        names = {parameter.name for parameter in operation.path_parameters}
        real = {name: there[name] for name in names}
        parts = (operation.path_parameters, operation.query, operation.headers, operation.body)
        for mode in (
            modes if any(map(len, map(list, parts))) else modes[:1]
        ):  # nothing can be wrong where nothing is sent
            for given_path in ({}, {"path_parameters": real}) if names and mode is GenerationMode.POSITIVE else ({},):
                checks = NEGATIVE if mode is GenerationMode.NEGATIVE and operation.label not in BYTES else CHECKS
                if operation.label == STREAM:
                    checks = [check for check in checks if check is not response_schema_conformance]
                try:
                    strategy = operation.as_strategy(generation_mode=mode, **given_path)
                    _run(strategy, tries, checks, examples)
                except FailureGroup as group:
                    wrong += [f"{operation.label}, {mode.value}, {way}: {each}" for each in group.exceptions]
                except AssertionError as error:
                    wrong.append(f"{operation.label}, {mode.value}, {way}: {error}")
    assert not wrong, "\n\n".join(wrong)
    return tries.statuses


def _run(strategy: Any, tries: Tries, checks: list[Any], examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(case=strategy)
    def one(case):
        case.validate_response(tries.send(case), checks=checks)

    one()


def test_the_api_does_what_it_says(site, schema, there):
    seen = try_all(site, schema, there, "session", 2, (GenerationMode.POSITIVE,))
    assert {200, 201, 404, 422} <= seen


@pytest.mark.full
@pytest.mark.parametrize("way", ["session", "token", "viewer"])
def test_the_api_does_what_it_says_at_length(site, schema, there, way):
    seen = try_all(site, schema, there, way, 10)
    assert {200, 403, 404, 422} <= seen


def test_a_planted_fault_in_a_shape_is_found(site, schema, there, monkeypatch):
    """schemathesis is not blind: an answer that is not as its schema says is found."""

    def wrong(case):
        return case_routes.CaseShape.model_construct(id="no id", title=7)

    monkeypatch.setattr(case_routes, "case_shape", wrong)
    with pytest.raises(AssertionError, match=r"GET /api/v1/cases/\{case_id\}"):
        try_all(site, _only(schema, "/cases/{case_id}"), there, "session", 3, (GenerationMode.POSITIVE,))


def _only(schema, path: str):
    return schema.include(path_regex=path.replace("{", r"\{").replace("}", r"\}") + "$", method="GET")
