"""Tell outside that a watch rang: by signed webhook and by mail, as much as each way may carry.

An attempt is recorded before anything leaves the node. Whoever is told may be told twice, for a node can be killed between
sending and writing that down: the delivery's id stays the same, so that a receiver can drop what it had. Where the marking, the
case or the PAP of an alarm do not let it go that way, nothing is told but that a watch rang.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from shieldwall.errors import Conflict, Refused, ShieldwallError, UsageError
from shieldwall.model.access import Handling, Identity, Kind, Role, may_do
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import Action, Marking
from shieldwall.model.moment import utc
from shieldwall.node import outbound
from shieldwall.node.jobs.context import NODE
from shieldwall.store.watches import Alarm, Delivery

if TYPE_CHECKING:
    from shieldwall.store.engine import Store

FORMAT = "shieldwall-alarm/1"
PURPOSE = "webhook"
"""What the node's signature of a webhook is for; `signed_bytes` says over what."""

Sign = Callable[[str, bytes], Mapping[str, Any]]
"""The node's signatures for a purpose, as plain JSON values: both kinds, with their algorithms and the key's id."""


class Webhook(Protocol):
    """An endpoint, as `node.nodeconfig.WebhookConfig`."""

    @property
    def url(self) -> str:
        """Where."""

    @property
    def highest(self) -> Marking:
        """The highest marking that it may carry."""

    @property
    def allow_private(self) -> bool:
        """Whether its host may have a private or loopback address."""


class Mail(Protocol):
    """Where mail is handed in, as `node.nodeconfig.MailConfig`."""

    @property
    def host(self) -> str:
        """The mail server."""

    @property
    def port(self) -> int:
        """Its port."""

    @property
    def sender(self) -> str:
        """The address that mail comes from."""

    @property
    def starttls(self) -> bool:
        """Whether the connection must be encrypted."""

    @property
    def user(self) -> str:
        """To sign in with; "" for none."""

    @property
    def password_file(self) -> Path | None:
        """File that holds the password; None for none."""

    @property
    def highest(self) -> Marking:
        """The highest marking that mail may carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A person who gets mail: with the rights of now, and where."""

    identity: Identity
    mail: str


ReceiverOf = Callable[[str], Receiver]
"""By the id of a person; Refused where they may not come in any more."""


class Deliverer:
    """Makes deliveries.

    Args:
        store: The node's store.
        sign: Signs what a webhook carries.
        receiver_of: Who a person is, and where their mail goes.
        origin: The node's address for people, as in https://node.example.
        webhooks: The endpoints.
        mail: Where mail is handed in; None for nowhere.
        post: Sends to an endpoint.
        send: Hands a mail in.
    """

    def __init__(
        self,
        store: Store,
        *,
        sign: Sign,
        receiver_of: ReceiverOf,
        origin: str,
        webhooks: Sequence[Webhook] = (),
        mail: Mail | None = None,
        post: Callable[..., outbound.Answer] = outbound.post,
        send: Callable[[outbound.MailServer, EmailMessage], None] = outbound.send_mail,
    ) -> None:
        self._store = store
        self._sign = sign
        self._receiver_of = receiver_of
        self._origin = origin
        self._webhooks = {webhook.url: webhook for webhook in webhooks}
        self._mail = mail
        self._post = post
        self._send = send

    def ways(self, channels: Sequence[str], handling: Handling) -> Iterable[tuple[str, str]]:
        """See `watcher.Ways`: every endpoint, and the mail of the person whose watch it is."""
        if "webhook" in channels:
            yield from (("webhook", url) for url in self._webhooks)
        if "mail" in channels and self._mail is not None and handling.owner:
            yield "mail", handling.owner

    def tick(self, most: int = 20) -> int:
        """Make the deliveries that are due, at most so many; returns how many went well."""
        with self._store.inside(NODE) as work:
            due = work.watches.due(most)
        return sum(self._deliver(delivery, alarm) for delivery, alarm in due)

    def _deliver(self, delivery: Delivery, alarm: Alarm) -> bool:
        try:
            receiver = self._receiver(delivery)
        except (
            ShieldwallError
        ) as error:  # nobody to tell: what stands there is tried again, for settings may change back
            return self._record_failure(delivery, alarm, error)
        told = may_do(receiver.identity, alarm.handling, Action.TELL)
        about = {"delivery": delivery.id, "channel": delivery.channel, "withheld": not told}
        try:
            with self._store.act(NODE, "delivery.attempt", attempt=delivery.attempts + 1, **about) as work:
                delivery = work.watches.attempt(delivery)  # no audit, no exit: this is committed before anything leaves
        except Conflict:
            return False
        try:
            if delivery.channel == "webhook":
                self._to_webhook(delivery, alarm, told=told)
            else:
                self._to_mail(delivery, alarm, receiver.mail, told=told)
        except ShieldwallError as error:
            return self._failed(delivery, alarm, error)
        with self._store.act(NODE, "delivery.sent", **about) as work:
            work.watches.sent(delivery, withheld=not told)
        return True

    def _record_failure(self, delivery: Delivery, alarm: Alarm, error: ShieldwallError) -> bool:
        with contextlib.suppress(Conflict), self._store.act(NODE, "delivery.attempt", delivery=delivery.id) as work:
            delivery = work.watches.attempt(delivery)
            work.note(state=work.watches.failed(delivery, alarm, error.message).value)
        return False

    def _failed(self, delivery: Delivery, alarm: Alarm, error: ShieldwallError) -> bool:
        with self._store.act(NODE, "delivery.failed", delivery=delivery.id, channel=delivery.channel) as work:
            work.note(state=work.watches.failed(delivery, alarm, error.message).value)
        return False

    def _receiver(self, delivery: Delivery) -> Receiver:
        """Whoever is told, with what they may be told over this channel.

        Raises:
            UsageError: The channel is not set up any more.
            Refused: The person may not come in any more.
        """
        if delivery.channel == "webhook":
            webhook = self._webhooks.get(delivery.to)
            if webhook is None:
                raise UsageError("that endpoint is not in the node's settings any more")
            return Receiver(identity=endpoint(webhook.highest), mail="")
        if self._mail is None:
            raise UsageError("the node's settings name no mail server any more")
        try:
            found = self._receiver_of(delivery.to)
        except Refused:
            raise UsageError("the person whose watch it is may not come in any more") from None
        if not found.mail:
            raise UsageError("the person whose watch it is has no mail address")
        highest = min(found.identity.highest, self._mail.highest)
        return replace(found, identity=replace(found.identity, highest=highest))

    def _to_webhook(self, delivery: Delivery, alarm: Alarm, *, told: bool) -> None:
        now = self._store.now() // 1_000_000
        body = canonical_json(webhook_body(delivery, alarm, self._origin, told=told))
        signatures = canonical_json(dict(self._sign(PURPOSE, signed_bytes(delivery.id, now, body))))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "shieldwall",
            "Shieldwall-Delivery": delivery.id,
            "Shieldwall-Timestamp": str(now),
            "Shieldwall-Signature": signatures.decode(),
        }
        self._post(delivery.to, body, headers, allow_private=self._webhooks[delivery.to].allow_private)

    def _to_mail(self, delivery: Delivery, alarm: Alarm, to: str, *, told: bool) -> None:
        mail = self._mail
        if mail is None:
            raise UsageError("the node's settings name no mail server any more")
        try:
            message = mail_message(delivery, alarm, mail.sender, to, self._origin, told=told)
        except (ValueError, MessageError):
            raise UsageError("no mail can be written to that address") from None
        password = _password(mail.password_file)
        server = outbound.MailServer(
            host=mail.host, port=mail.port, starttls=mail.starttls, user=mail.user, password=password
        )
        self._send(server, message)


def endpoint(highest: Marking) -> Identity:
    """What an endpoint may be told: what anybody may read, up to a marking; it is in no case and no group, and owns nothing."""
    return Identity(kind=Kind.NODE, person="", name="endpoint", roles=frozenset((Role.VIEWER,)), highest=highest)


def signed_bytes(delivery_id: str, timestamp: int, body: bytes) -> bytes:
    """What the signature of a webhook is over: id, time (Unix seconds, decimal) and body, with a full stop between."""
    return f"{delivery_id}.{timestamp}.".encode() + body


def webhook_body(delivery: Delivery, alarm: Alarm, origin: str, *, told: bool) -> dict[str, Any]:
    """What a webhook carries; the same at every attempt.

    Args:
        delivery: Which.
        alarm: Of which alarm.
        origin: The node's address for people.
        told: Whether the alarm itself may go that way.
    """
    body: dict[str, Any] = {"format": FORMAT, "delivery": delivery.id, "node": origin, "withheld": not told}
    if not told:
        return body | {"say": f"A watch rang. Sign in to see it: {origin}"}
    return body | {
        "id": alarm.id,
        "rang_at": utc(alarm.rang_at // 1_000_000),
        "marking": alarm.handling.marking.label,
        "pap": alarm.handling.pap.label,
        "alarm": dict(alarm.body),
    }


def mail_message(delivery: Delivery, alarm: Alarm, sender: str, to: str, origin: str, *, told: bool) -> EmailMessage:
    """A mail; its subject tells nothing, and its Message-ID is the same at every attempt.

    Raises:
        ValueError: An address that cannot stand in a mail.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = "A watch rang"
    message["Message-ID"] = f"<{delivery.id}@{origin.rpartition('//')[2].partition(':')[0]}>"
    message["Shieldwall-Delivery"] = delivery.id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5
    lines = [f"A watch rang. Sign in to see it: {origin}"]
    if told:
        handling = alarm.handling
        steps = [f"- {_plain(step['say'])}" for step in alarm.body["do"]]
        lines = [
            f"{handling.marking.label} {handling.pap.label}",
            "",
            _plain(alarm.body["say"]),
            "",
            "What to do:",
            *steps,
            "",
            f"Sign in to see all of it: {origin}",
        ]
    message.set_content("\n".join(lines) + "\n")
    return message


def _plain(text: str) -> str:
    """A text of outside in one line, without what cannot be seen."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError("the file with the mail server's password cannot be read") from None
