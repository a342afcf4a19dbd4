"""Pull a collection of another TAXII 2.1 server, or the events of a MISP, from where it was left; push objects to a collection.

How far a collection was read is what its server said of the last page (`X-TAXII-Date-Added-Last`), and is kept in the act that
took that page in: a stop at any moment repeats a page at most, and loses none. Others' moments may be equal where ours never are:
while more follows, what is kept is the instant before the page's last one, so that the rest of that moment is not passed over.
Servers are known that leave `next` out, give the same page for ever, say nothing of dates, or answer nonsense; each of these ends
with a sentence that says so, never in a loop.
"""

from __future__ import annotations

import io
import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shieldwall.errors import BadInput, BadText, ShieldwallError, UsageError
from shieldwall.model.access import Handling, Identity
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.strictjson import parse_json
from shieldwall.node.outbound import Answer, Limits, Unreachable, exchange
from shieldwall.node.sharing.intake import IntakeRules, TakenBundle, take_bundle
from shieldwall.node.sharing.misp import base_url, pull_events, take_misp
from shieldwall.sharing.stix.instant import FIRST, read_instant, taxii_time

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.sources import Source
    from shieldwall.store.work import Work

MEDIA_TYPE = "application/taxii+json;version=2.1"
PAGE = 1000
"""Objects that are asked for at once."""

MOST_PAGES = 100_000
SHORTEST, LONGEST = 60, 30 * 86400
"""Seconds between two pulls of a source."""

_TOLD = ("pages", "objects", "added", "known", "conflicting", "refusals", "unmarked", "problem")
"""What stands with a source of its last pull."""

_LIMITS = Limits(seconds=120.0, most_bytes=64 << 20)
_TRIES = 4  # of one page
_LONGEST_WAIT = 60.0  # seconds before another try
_BUSY = frozenset((429, 502, 503, 504))

TAXII, MISP = "taxii", "misp"
"""What a source speaks."""

Ask = Callable[[str, str, bytes, Mapping[str, str]], Answer]
"""Sends one request: method, URL, body, headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Another server's collection, and how to come in there.

    Attributes:
        url: Of the collection, as in https://HOST/ROOT/collections/ID/; of a MISP https://HOST/.
        authorization: The header, such as "Bearer ..."; "" for none.
        allow_private: Its host was declared to be inside.
        authorities: Whom TLS trusts, PEM; "" for the system's authorities.
        kind: `TAXII` or `MISP`.
    """

    url: str
    authorization: str = field(default="", repr=False)
    allow_private: bool = False
    authorities: str = field(default="", repr=False)
    kind: str = TAXII

    def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request, to the address that was checked, without redirects, held to limits of size and time."""
        own = {"Authorization": self.authorization} if self.authorization else {}
        return exchange(
            method,
            url,
            body,
            {"Accept": MEDIA_TYPE, **headers, **own, "User-Agent": "shieldwall"},
            allow_private=self.allow_private,
            limits=_LIMITS,
            context=ssl.create_default_context(cadata=self.authorities) if self.authorities else None,
        )

    def place(self) -> str:
        """Its URL in one form.

        Raises:
            UsageError: It is no URL of a collection, or of a MISP.
        """
        return base_url(self.url) if self.kind == MISP else _objects_url(self.url)

    def is_one(self) -> Remote:
        """The same, where it may be asked at all.

        Raises:
            UsageError: It is no URL of a collection, or its authorities cannot be read.
        """
        self.place()
        if self.authorities:
            try:
                ssl.create_default_context(cadata=self.authorities)
            except (OSError, ValueError) as error:
                raise UsageError(f"the authorities cannot be read ({error})", hint="PEM, one or several") from None
        return self


@dataclass(slots=True, kw_only=True)
class Pulled:
    """What came of a pull.

    Attributes:
        pages, objects, added, known, conflicting, refusals, unmarked, claims: Counts over all pages.
        began: From which moment on was asked; "" for the beginning.
        reached: Up to which moment all is here, as the server writes it; "" where it never said.
        problem: What ended it before its end; "" where all was taken.
    """

    pages: int = 0
    objects: int = 0
    added: int = 0
    known: int = 0
    conflicting: int = 0
    refusals: int = 0
    unmarked: int = 0
    claims: int = 0
    began: str = ""
    reached: str = ""
    problem: str = ""

    def count(self, taken: TakenBundle) -> None:
        """Add a page."""
        self.pages += 1
        self.objects += taken.objects
        self.added += taken.added
        self.known += taken.known
        self.conflicting += taken.conflicting
        self.refusals += taken.refusals
        self.unmarked += taken.unmarked
        self.claims += taken.claims


def pull(
    node: Node,
    identity: Identity,
    act: str,
    remote: Remote,
    rules: IntakeRules | None = None,
    *,
    again: bool = False,
    ask: Ask | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Pulled:
    """Take in what is new in a collection, which is then a source of whoever pulls.

    Args:
        node: Where.
        identity: Whoever pulls; what comes is theirs.
        act: As the audit log calls it.
        remote: The collection.
        rules: How what comes is handled.
        again: From the beginning, not from where it was left.
        ask: Sends a request; None for `Remote.ask`.
        wait: Waits so many seconds.

    Raises:
        UsageError: The URL must not be asked, or is none of a collection.
        NotAllowed: Whoever pulls may not write.
    """
    source = subscribe(node, identity, act, remote, rules, every=None)
    rules = replace(rules or IntakeRules(), source=source.id)
    return pull_source(node, identity, act, source, remote, rules, again=again, ask=ask, wait=wait)


def subscribe(
    node: Node, identity: Identity, act: str, remote: Remote, rules: IntakeRules | None = None, *, every: int | None
) -> Source:
    """Make a collection a source of somebody.

    Args:
        node: Where.
        identity: Whose it is; what comes is theirs.
        act: As the audit log calls it.
        remote: The collection. Its credentials are kept only where it is pulled without anybody asking.
        rules: How what comes is handled.
        every: Seconds between pulls; 0 to pull only when somebody asks; None to leave that as it is.

    Raises:
        UsageError: The URL is none of a collection, or the time between pulls cannot be.
        NotAllowed: They may not write.
    """
    rules, url = rules or IntakeRules(), remote.is_one().place()
    if every and not SHORTEST <= every <= LONGEST:
        raise UsageError(f"between pulls lie {SHORTEST} seconds to {LONGEST // 86400} days")
    handling = Handling(
        owner=identity.person, case=rules.case, group=rules.group
    )  # of the source itself: the strictest
    with node.store.act(identity, act) as work:
        target: dict[str, Any] = {"kind": remote.kind, "url": url, "allow_private": remote.allow_private}
        target |= {"marking": int(rules.marking), "pap": int(rules.pap)}
        if every is None:
            for known in work.sources.all():
                if known.handling == handling and known.ended_at is None and known.target["url"] == url:
                    return known
        if every:
            target |= {"authorization": remote.authorization, "authorities": remote.authorities}
        return work.sources.put(target, handling, every=every or 0)


def remote_of(source: Source) -> Remote:
    """How a source is asked that is pulled without anybody asking."""
    said = source.target
    return Remote(
        url=said["url"],
        authorization=said.get("authorization", ""),
        allow_private=said["allow_private"],
        authorities=said.get("authorities", ""),
        kind=said["kind"],
    )


def rules_of(source: Source) -> IntakeRules:
    """How what comes from a source is handled."""
    marking, pap = Marking(source.target["marking"]), Pap(source.target["pap"])
    return IntakeRules(marking, pap, source.handling.case, source.handling.group, source.id)


def pull_source(
    node: Node,
    identity: Identity,
    act: str,
    source: Source,
    remote: Remote,
    rules: IntakeRules | None = None,
    *,
    again: bool = False,
    ask: Ask | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Pulled:
    """Take in what is new in a source; how it went stands with it (`Source.state`).

    Args:
        node, identity, act, remote, again, ask, wait: As of `pull`.
        source: The source.
        rules: How what comes is handled; None for as its own words say.

    Raises:
        UsageError, NotAllowed: As `pull`.
    """
    begun = "" if again else str(source.state.get("reached", ""))
    result = Pulled(began=begun, reached=begun)
    try:
        pages = _pull_events if remote.kind == MISP else _pull_pages
        pages(node, identity, act, remote, rules or rules_of(source), result, ask or remote.ask, wait)
    except ShieldwallError as error:
        result.problem = error.message
        raise
    except Exception as error:
        result.problem = f"a fault of the program: {type(error).__name__}"
        raise
    finally:
        with node.store.act(identity, act, source=source.id) as work:
            kept = work.sources.get(source.id).state
            state = {**kept, **{name: getattr(result, name) for name in _TOLD}}
            if remote.kind == MISP:  # of a collection it is noted with each page
                state["reached"] = result.reached
            work.sources.went(source, state, good=not result.problem)
    return result


def _pull_pages(
    node: Node,
    identity: Identity,
    act: str,
    remote: Remote,
    rules: IntakeRules,
    result: Pulled,
    ask: Ask,
    wait: Callable[[float], None],
) -> None:
    base, start = _objects_url(remote.url), result.began
    cursor, met = "", set[str]()
    while result.pages < MOST_PAGES:
        query = f"limit={PAGE}" + (f"&added_after={quote(start)}" if start else "")
        try:
            answer = _asked(ask, f"{base}?{query}" + (f"&next={quote(cursor, safe='')}" if cursor else ""), wait)
            body = _envelope(answer)
            last = _last(answer, result.reached)
        except (Unreachable, BadText) as error:
            result.problem = error.message
            return
        sure = last if not body.get("more") else _before(last)

        def noting(work: Work, sure: str = sure) -> None:
            if sure:
                now = work.sources.get(rules.source)
                work.sources.went(now, {**now.state, "reached": sure}, good=False)

        try:
            taken = take_bundle(node, identity, act, io.BytesIO(answer.body), base, rules, noting=noting)
        except BadText as error:
            result.problem = error.message
            return
        result.count(taken)
        result.reached = last or result.reached
        if not body.get("more"):
            return
        cursor, start, result.problem = _further(body, last, start, cursor, taken.objects)
        place = f"{start} {cursor}"
        if not result.problem and place in met:
            result.problem = "the server gives the same page again and again"
        met.add(place)
        if result.problem:
            return
    result.problem = f"more than {MOST_PAGES:,} pages"


def _pull_events(
    node: Node,
    identity: Identity,
    act: str,
    remote: Remote,
    rules: IntakeRules,
    result: Pulled,
    ask: Ask,
    wait: Callable[[float], None],
) -> None:
    """The same of a MISP, whose events say when they were changed, to the second: those of the last one are asked for again.

    Pages are in no order of time, so how far it was read is known at the end alone.
    """
    since = int(result.began) if result.began.isdigit() else 0
    latest, now = since, node.store.now() // 1_000_000

    def patient(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return _tried(lambda: ask(method, url, body, headers), wait)

    try:
        for raw, changed in pull_events(patient, remote.url, since=since):
            try:
                result.count(take_misp(node, identity, act, raw, remote.place(), rules))
            except BadText:  # nothing of this page can be read: the next ones are worth having
                result.pages += 1
                result.refusals += 1
            latest = max(latest, min(changed, now))  # a time to come would let all until then be passed over
    except (Unreachable, BadText) as error:
        result.problem = error.message
        return
    result.reached = str(latest) if latest else ""


def push(
    remote: Remote, objects: Sequence[bytes], *, ask: Ask | None = None, wait: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Add objects to another server's collection; returns its status.

    Raises:
        Unreachable: It does not take them.
        UsageError: The URL must not be asked, or is none of a collection.
    """
    body = b'{"objects": [' + b", ".join(objects) + b"]}"
    url, headers = _objects_url(remote.url), {"Content-Type": MEDIA_TYPE}
    answer = _tried(lambda: (ask or remote.ask)("POST", url, body, headers), wait)
    if answer.status not in (200, 202):
        raise Unreachable(_told(answer))
    found = parse_json(answer.body, "the server's status", floats=True)
    return found if isinstance(found, dict) else {}


def _objects_url(url: str) -> str:
    plain = url.rstrip("/").removesuffix("/objects")
    if "/collections/" not in plain or "?" in plain or "#" in plain:
        raise UsageError("that is no URL of a collection", hint="it is https://HOST/ROOT/collections/ID/")
    return f"{plain}/objects/"


def _asked(ask: Ask, url: str, wait: Callable[[float], None]) -> Answer:
    answer = _tried(lambda: ask("GET", url, b"", {}), wait)
    if answer.status != 200:
        raise Unreachable(_told(answer))
    return answer


def _tried(once: Callable[[], Answer], wait: Callable[[float], None]) -> Answer:
    """Ask, and again a little later where the server is busy or does not answer."""
    for number in range(1, _TRIES + 1):
        pause = float(2**number)
        try:
            answer = once()
        except Unreachable:
            if number == _TRIES:
                raise
        else:
            if answer.status not in _BUSY or number == _TRIES:
                return answer
            text = answer.headers.get("retry-after", "")
            pause = float(text) if text.isascii() and text.isdigit() and len(text) < 6 else pause
        wait(min(pause, _LONGEST_WAIT))
    raise AssertionError


def _envelope(answer: Answer) -> dict[str, Any]:
    """What stands beside the objects.

    Raises:
        BadText: It is no envelope.
    """
    media = answer.headers.get("content-type", "")
    if "json" not in media:
        raise BadText(f"the server answered {media[:60]!r}, not TAXII")
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise BadText("the server answered what is no JSON") from None
    if not isinstance(body, dict):
        raise BadText("the server answered no envelope")
    return body


def _last(answer: Answer, reached: str) -> str:
    """When the last object of a page was added, as the server wrote it; "" where it did not say, or nonsense.

    Raises:
        BadText: Before that of an earlier page: then nobody could go on from there and miss nothing.
    """
    text = answer.headers.get("x-taxii-date-added-last", "")
    try:
        moment = read_instant(text, "header")
    except BadInput:
        return ""
    if reached and moment < read_instant(reached, "header"):
        raise BadText("the server's pages go back in time, so nobody could go on from them")
    return text


def _further(body: Mapping[str, Any], last: str, start: str, cursor: str, objects: int) -> tuple[str, str, str]:
    """Cursor and moment from which the next page goes on, and why it cannot; "" where it can."""
    following = body.get("next")
    if isinstance(following, str) and following:
        problem = "the server's next is the one that was sent" if following == cursor else ""
        return following, start, problem
    if not last:
        return "", start, "the server says that there is more, and neither where nor up to when"
    sure = _before(last)
    if sure != start and objects:
        return "", sure, ""  # it leaves next out: what was added no earlier than the last of this page
    return "", start, "the server says that there is more, and gives nothing new"


def _before(moment: str) -> str:
    """The instant before a moment that a server wrote; "" for none."""
    return taxii_time(max(read_instant(moment, "header") - 1, FIRST)) if moment else ""


def _told(answer: Answer) -> str:
    """What a server says of why it does not, in a sentence."""
    title = ""
    try:
        body = json.loads(answer.body)
        title = str(body.get("title", ""))[:200] if isinstance(body, dict) else ""
    except (ValueError, RecursionError):
        pass
    told = "".join(letter for letter in title if letter.isprintable())
    moved = ": it sends us elsewhere, which is not followed" if 300 <= answer.status < 400 else ""
    return f"the server answered {answer.status}{moved}{f' ({told})' if told else ''}"
