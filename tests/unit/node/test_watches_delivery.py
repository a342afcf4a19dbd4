"""Deliveries: signed, at least once and with one id, tried again ever later, and never more than the way may carry."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hook_support import hook
from hypothesis import given
from hypothesis import strategies as st
from mail_support import sink
from store_support import MARA, START, who
from work_support import fresh_store

from shieldwall.errors import NotAllowed
from shieldwall.model.access import Handling
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.jobs.context import NODE
from shieldwall.node.nodeconfig import MailConfig, WebhookConfig
from shieldwall.node.outbound import Unreachable
from shieldwall.node.watches.delivery import Deliverer, Receiver, mail_message, signed_bytes
from shieldwall.store.watches import FIRST_WAIT, GIVEN_UP_AFTER, LONGEST_WAIT, DeliveryState, NewAlarm, wait_after

ADDRESS = "bcrt1qssknlr5qgjht3r9hz7c6srsycapllp7vpduys0"
BODY = {"say": f"5 BTC left {ADDRESS}", "do": [{"say": "Ask Example at once."}], "event": "spent"}
AMBER = Handling(marking=Marking.AMBER, pap=Pap.AMBER, owner=MARA)
HOUR = 3_600_000_000


class Clock:
    def __init__(self):
        self.at = START + 100 * HOUR

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with fresh_store(tmp_path, clock) as store:
        yield store


def sign(purpose, message):
    return {"purpose": purpose, "over": message.hex()}


def receiver(person, mail="mara@example.org"):
    return Receiver(identity=who(person), mail=mail)


def deliverer(store, **more):
    given = {"sign": sign, "receiver_of": receiver, "origin": "https://node.example"}
    return Deliverer(store, **{**given, **more})


def ring(store, ways, handling=AMBER):
    with store.act(who(MARA), "watch.add") as work:
        watch = work.watches.add("address", {}, {}, Subject("address", "c", ADDRESS), handling)
    with store.act(NODE, "watch.ring") as work:
        (alarm,) = work.watches.ring(
            watch, {"at": 1}, [NewAlarm(event=("spent", "t"), body=BODY, handling=handling)], ways
        )
    return alarm


def deliveries(store, alarm, identity=None):
    with store.look(identity or who(MARA), "delivery.page") as work:
        return work.watches.deliveries(alarm.id)


def test_a_webhook_is_signed_and_says_all_where_it_may(store):
    with hook() as there:
        out = deliverer(store, webhooks=[WebhookConfig(url=there.url, highest=Marking.AMBER, allow_private=True)])
        alarm = ring(store, out.ways(["webhook"], AMBER))
        assert out.tick() == 1
        assert out.tick() == 0
    ((_, headers, raw),) = there.received
    body = json.loads(raw)
    (delivery,) = deliveries(store, alarm)
    assert delivery.state is DeliveryState.SENT
    assert headers["Shieldwall-Delivery"] == body["delivery"] == delivery.id
    over = signed_bytes(delivery.id, int(headers["Shieldwall-Timestamp"]), raw)
    assert json.loads(headers["Shieldwall-Signature"]) == {"purpose": "webhook", "over": over.hex()}
    assert (body["alarm"], body["marking"], body["pap"]) == (BODY, "TLP:AMBER", "PAP:AMBER")


@pytest.mark.parametrize(
    ("highest", "handling"),
    [
        (Marking.GREEN, AMBER),
        (Marking.AMBER, replace(AMBER, pap=Pap.RED)),
        (Marking.RED, Handling(owner=MARA, pap=Pap.CLEAR)),
        (Marking.RED, replace(AMBER, group="1" * 32)),
    ],
)
def test_a_webhook_says_only_that_a_watch_rang_where_more_may_not_go(store, highest, handling):
    with hook() as there:
        out = deliverer(store, webhooks=[WebhookConfig(url=there.url, highest=highest, allow_private=True)])
        if handling.group:
            owner = replace(handling, group=None)
            alarm = ring(store, (), owner)
            with store.act(NODE, "test") as work:
                watch = work.watches.active()[0]
                new = NewAlarm(event=("spent", "u"), body=BODY, handling=handling)
                (alarm,) = work.watches.ring(watch, {"at": 2}, [new], out.ways(["webhook"], handling))
        else:
            alarm = ring(store, out.ways(["webhook"], handling), handling)
        assert out.tick() == 1
    raw = there.received[0][2].decode()
    assert json.loads(raw)["withheld"] is True
    for secret in (ADDRESS, "spent", alarm.id, alarm.watch, "TLP", MARA):
        assert secret not in raw
    (delivery,) = deliveries(store, alarm, who(MARA, groups=["1" * 32]))
    assert delivery.state is DeliveryState.WITHHELD


def test_what_fails_is_tried_again_with_the_same_id_and_then_given_up(store, clock):
    with hook() as there:
        there.status = 500
        out = deliverer(store, webhooks=[WebhookConfig(url=there.url, highest=Marking.AMBER, allow_private=True)])
        alarm = ring(store, out.ways(["webhook"], AMBER))
        assert out.tick() == 0
        (first,) = deliveries(store, alarm)
        assert (first.attempts, first.state, first.next_at - clock.at) == (1, DeliveryState.WAITING, FIRST_WAIT)
        assert first.error.endswith("answered 500")
        assert out.tick() == 0
        assert len(there.received) == 1
        while (now := deliveries(store, alarm)[0]).state is DeliveryState.WAITING:
            clock.at = now.next_at
            out.tick()
        assert now.state is DeliveryState.GIVEN_UP
        assert GIVEN_UP_AFTER - LONGEST_WAIT <= clock.at - alarm.rang_at <= GIVEN_UP_AFTER
        assert {headers["Shieldwall-Delivery"] for _, headers, _ in there.received} == {first.id}
        assert len({raw for *_, raw in there.received}) == 1
        clock.at += 100 * HOUR
        there.status = 204
        assert out.tick() == 0


def test_a_process_that_dies_after_sending_sends_again(store, clock):
    sent = []

    def post(url, body, headers, **_):
        sent.append(headers["Shieldwall-Delivery"])
        if len(sent) == 1:
            raise RuntimeError("the process ends")

    webhook = WebhookConfig(url="https://example.org/hook", highest=Marking.AMBER)
    out = deliverer(store, webhooks=[webhook], post=post)
    ring(store, out.ways(["webhook"], AMBER))
    with pytest.raises(RuntimeError):
        out.tick()
    assert out.tick() == 0  # not at once
    clock.at += FIRST_WAIT
    assert out.tick() == 1
    assert len(sent) == 2
    assert len(set(sent)) == 1


def test_nothing_leaves_without_a_record(store, monkeypatch):
    from shieldwall.errors import AuditFailed
    from shieldwall.store.audit import AuditLog

    sent = []
    webhook = WebhookConfig(url="https://example.org/hook", highest=Marking.AMBER)
    out = deliverer(store, webhooks=[webhook], post=lambda *given, **_: sent.append(given))
    ring(store, out.ways(["webhook"], AMBER))

    def full(*_):
        raise AuditFailed("the disk is full")

    monkeypatch.setattr(AuditLog, "append", full)
    with pytest.raises(AuditFailed):
        out.tick()
    assert sent == []


def test_two_processes_make_one_attempt(store):
    ring(store, [("webhook", "https://example.org/hook")])
    with store.inside(NODE) as work:
        ((delivery, _),) = work.watches.due(5)
    with store.act(NODE, "delivery.attempt") as work:
        work.watches.attempt(delivery)
    from shieldwall.errors import Conflict

    with pytest.raises(Conflict), store.act(NODE, "delivery.attempt") as work:
        work.watches.attempt(delivery)


def test_mail_goes_to_the_person_whose_watch_it_is(store, tmp_path):
    (tmp_path / "password").write_text("secret\n")
    with sink() as there:
        mail = MailConfig(
            host="localhost", port=there.port, sender="node@example.org", starttls=False, user="node",
            password_file=tmp_path / "password", highest=Marking.AMBER,
        )  # fmt: skip
        out = deliverer(store, mail=mail)
        alarm = ring(store, out.ways(["mail"], AMBER))
        assert out.tick() == 1
    (message,) = there.received
    (delivery,) = deliveries(store, alarm)
    assert there.users == [("node", "secret")]
    assert (message["To"], message["Subject"], message["Shieldwall-Delivery"]) == (
        "mara@example.org", "A watch rang", delivery.id,
    )  # fmt: skip
    assert message["Message-ID"] == f"<{delivery.id}@node.example>"
    text = message.get_content()
    assert text.startswith("TLP:AMBER PAP:AMBER\n\n5 BTC left")
    assert "- Ask Example at once." in text


@pytest.mark.parametrize("case", ["marking", "pap", "person"])
def test_mail_tells_no_more_than_it_may(store, case):
    with sink() as there:
        highest = Marking.GREEN if case == "marking" else Marking.RED
        mail = MailConfig(host="localhost", port=there.port, sender="n@example.org", starttls=False, highest=highest)
        few = who(MARA, highest=Marking.GREEN) if case == "person" else who(MARA)
        out = deliverer(store, mail=mail, receiver_of=lambda _: Receiver(identity=few, mail="mara@example.org"))
        handling = replace(AMBER, pap=Pap.RED) if case == "pap" else AMBER
        alarm = ring(store, out.ways(["mail"], handling), handling)
        assert out.tick() == 1
    (message,) = there.received
    assert ADDRESS not in message.as_string()
    assert "AMBER" not in message.as_string()
    assert deliveries(store, alarm)[0].state is DeliveryState.WITHHELD


def test_nobody_to_tell(store):
    def gone(person):
        raise NotAllowed("that person is disabled")

    mail = MailConfig(host="localhost", port=1, sender="node@example.org", starttls=False)
    for out, words in (
        (deliverer(store, mail=mail, receiver_of=gone), "may not come in"),
        (deliverer(store, mail=mail, receiver_of=lambda p: receiver(p, "")), "no mail address"),
        (deliverer(store), "no mail server"),
        (
            deliverer(store, mail=mail, receiver_of=lambda p: receiver(p, "a\r\nBcc: b@example.org")),
            "no mail can be written",
        ),
    ):
        alarm = ring(store, [("mail", MARA)])
        assert out.tick() == 0
        (delivery,) = deliveries(store, alarm)
        assert words in delivery.error
        assert (delivery.attempts, delivery.state) == (1, DeliveryState.WAITING)
    alarm = ring(store, [("webhook", "https://example.org/")])
    assert deliverer(store).tick() == 0
    assert "settings" in deliveries(store, alarm)[0].error


def test_an_endpoint_inside_must_be_allowed(store):
    with hook() as there:
        out = deliverer(store, webhooks=[WebhookConfig(url=there.url, highest=Marking.AMBER)])
        alarm = ring(store, out.ways(["webhook"], AMBER))
        assert out.tick() == 0
        assert there.received == []
    assert "must not be reached" in deliveries(store, alarm)[0].error


def test_no_word_of_an_error_repeats_what_was_sent(store):
    def post(*_, **__):
        raise Unreachable("example.org: answered 500")

    out = deliverer(store, webhooks=[WebhookConfig(url="https://example.org/T0KEN", highest=Marking.AMBER)], post=post)
    alarm = ring(store, out.ways(["webhook"], AMBER))
    out.tick()
    assert "T0KEN" not in deliveries(store, alarm)[0].error
    with store.inside(NODE) as work:
        log = json.dumps([dict(leaf.entry) for leaf in work.audit.leaves()])
    for secret in ("T0KEN", ADDRESS):
        assert secret not in log


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_makes_a_mail_of_one_form(say, step):
    from shieldwall.store.watches import Alarm, Delivery

    body = {"say": say.encode("utf-8", "replace").decode(), "do": [{"say": step.encode("utf-8", "replace").decode()}]}
    alarm = Alarm(
        id="a" * 32, watch="b" * 32, body=body, rang_at=START, answered_at=None, answered_by=None, handling=AMBER
    )
    delivery = Delivery(
        id="c" * 32,
        alarm=alarm.id,
        channel="mail",
        to=MARA,
        attempts=1,
        next_at=0,
        state=DeliveryState.WAITING,
        error="",
    )
    message = mail_message(delivery, alarm, "node@example.org", "mara@example.org", "https://n.example:8420", told=True)
    lines = message.get_content().splitlines()
    assert len([line for line in lines if line.startswith("- ")]) <= 1 + lines[2].startswith("- ")
    assert message.as_bytes()


def test_waits_double_up_to_six_hours():
    waits = [wait_after(attempts) for attempts in range(1, 40)]
    assert waits[0] == FIRST_WAIT
    assert all(later in (2 * earlier, LONGEST_WAIT) for earlier, later in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT


def test_the_specification_names_every_field(root):
    from shieldwall.node.watches.advice import alarm_body
    from shieldwall.node.watches.delivery import webhook_body
    from shieldwall.node.watches.looking import Event, Movement, Paid, Tip
    from shieldwall.store.watches import Alarm, Delivery

    paid = Paid(to=ADDRESS, amount=5, index=0)
    event = Event(kind="spent", movement=Movement(kind="spent", txid="ab" * 32, amount=5, height=1, time=1, to=(paid,)))
    body = alarm_body("address", {"address": ADDRESS}, event, Tip(height=1), "BTC", {})
    alarm = Alarm(id="a", watch="b", body=body, rang_at=0, answered_at=None, answered_by=None, handling=AMBER)
    delivery = Delivery(
        id="c", alarm="a", channel="webhook", to="", attempts=1, next_at=0, state=DeliveryState.WAITING, error=""
    )
    page = (root / "docs" / "spec" / "alarm.md").read_text()
    told = webhook_body(delivery, alarm, "https://node.example", told=True)
    withheld = webhook_body(delivery, alarm, "https://node.example", told=False)
    for name in {*told, *withheld, *body, *body["to"][0], *(key for step in body["do"] for key in step)}:
        assert f"`{name}`" in page, name
    assert set(withheld) == {"format", "delivery", "node", "withheld", "say"}
