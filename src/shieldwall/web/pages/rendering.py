"""Pages out of templates: escaped, strict, in the reader's language, with nothing unseen let through."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from importlib import resources
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from shieldwall import __version__
from shieldwall.model.amount import btc, percent
from shieldwall.model.catalogue import Said
from shieldwall.model.words import Words
from shieldwall.node.sheets.frozen import Made
from shieldwall.trace.printable import printable
from shieldwall.web.pages.figures import KINDS
from shieldwall.web.pages.naming import name_in_words
from shieldwall.web.pages.screens import keys_of, screens_of
from shieldwall.web.rules import Caller, node_of
from shieldwall.web.words import LANGUAGES, chosen, words_of

LANGUAGE = "shieldwall-language"
"""Name of the cookie that keeps the language that somebody chose; it is no secret."""

STATIC = {
    "style.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "sheet.js": "text/javascript; charset=utf-8",
    "sign-in.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Files that pages ask for, each by a name with its digest, so that a browser may keep it for good."""

_YEAR = 31_536_000  # seconds
_LEVEL = 5  # of compression: a page is packed anew each time


def words_for(request: Request) -> Words:
    """The words of whoever sent a request."""
    return words_of(chosen(request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", "")))


def page(request: Request, template: str, caller: Caller | None, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
    """A page.

    Args:
        request: What is answered.
        template: Name of the template, without its ending.
        caller: Who asks; None where nobody is signed in.
        status: Of the answer.
        values: What the template shows.
    """
    words = words_for(request)
    identity = None if caller is None else caller.identity
    text = environment().get_template(f"{template}.html.j2").render(
        **_speaking(words),
        words=words,
        languages=LANGUAGES,
        identity=identity,
        screens=[] if identity is None else screens_of(identity),
        keys=keys_of(template),
        node_name=node_of(request).config.name,
        path=request.url.path,
        here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        program=f"Shieldwall {__version__}",
        **values,
    )  # fmt: skip
    headers = {"Content-Language": words.language, "Vary": "Accept-Encoding, Accept-Language, Cookie"}
    return packed(request, Response(text, status, headers, "text/html; charset=utf-8"))


def fragment(request: Request, template: str, question: object, **values: Any) -> Markup:  # noqa: ANN401 - whatever it shows
    """A part of a page that is the same for the same question, in the reader's language; made once, and kept.

    Args:
        request: What is answered.
        template: Name of the template, without its ending.
        question: What the part depends on beside template and language.
        values: What it shows.
    """
    words = words_for(request)
    kept: Made[Markup] = request.app.state.fragments

    def make() -> Markup:
        text = environment().get_template(f"{template}.html.j2").render(**_speaking(words), **values)
        return Markup(text)  # noqa: S704 - templates escape

    return kept.get((template, words.language, question), make)


def packed(request: Request, response: Response) -> Response:
    """An answer, compressed where the browser takes that.

    Lengths tell nobody anything (BREACH): the cookies of sessions are SameSite=Strict, so that no page of another site can
    make a browser ask for ours.
    """
    if "gzip" in request.headers.get("accept-encoding", "") and len(response.body) > 500:
        response.body = gzip.compress(bytes(response.body), _LEVEL, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response


@cache
def static_file(name: str) -> tuple[bytes, bytes, str]:
    """A file's bytes, the same compressed, and its digest."""
    content = (resources.files("shieldwall.web") / "static" / name).read_bytes()
    return content, gzip.compress(content, 9, mtime=0), hashlib.sha256(content).hexdigest()[:12]


def static_path(name: str) -> str:
    """Where a file is."""
    stem, _, ending = name.rpartition(".")
    return f"/static/{stem}.{static_file(name)[2]}.{ending}"


def static_endpoint(name: str) -> Callable[[Request], Response]:
    """Gives a file, which never changes under its name."""

    def endpoint(request: Request) -> Response:
        plain, small, _ = static_file(name)
        packs = "gzip" in request.headers.get("accept-encoding", "")
        headers = {"Cache-Control": f"public, max-age={_YEAR}, immutable", "Vary": "Accept-Encoding"}
        if packs:
            headers["Content-Encoding"] = "gzip"
        return Response(small if packs else plain, headers=headers, media_type=STATIC[name])

    return endpoint


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=PackageLoader("shieldwall.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown,
    )  # fmt: skip
    made.filters |= {
        "btc": btc,
        "short": short,
        "when": when,
        "micro": micro,
        "kib": kib,
        "lines": lines,
        "urlencode": in_address,
    }
    made.globals |= {"static": static_path, "percent": percent}
    return made


def _speaking(words: Words) -> dict[str, Any]:
    """What templates speak with; what comes from outside is made visible before it goes into a text."""

    told, counted = words.say, words.count  # under other names: the catalogues are made of literal texts alone

    def say(text: str, **values: object) -> str:
        return Said(told(text, **{name: _shown(value) for name, value in values.items()}))

    def count(one: str, many: str, number: int, **values: object) -> str:
        return Said(counted(one, many, number, **{name: _shown(value) for name, value in values.items()}))

    def age(seconds: int) -> str:
        return Said(age_in_words(words, seconds))

    def named(what: str, name: str) -> str:
        return Said(_shown(name_in_words(words, what, name)))

    return {"say": say, "count": count, "age": age, "named": named, "kind": partial(kind, words.language)}


def age_in_words(words: Words, seconds: int) -> str:
    """How long something is, in the largest whole unit.

    Example:
        >>> from shieldwall.model.words import ENGLISH
        >>> age_in_words(ENGLISH, 41 * 60), age_in_words(ENGLISH, 3 * 86_400)
        ('41 minutes', '3 days')
    """
    minutes = max(seconds, 0) // 60
    if minutes < 120:
        return words.count("{number} minute", "{number} minutes", minutes)
    if minutes < 48 * 60:
        return words.count("{number} hour", "{number} hours", minutes // 60)
    return words.count("{number} day", "{number} days", minutes // (24 * 60))


def _shown(value: object) -> object:
    if type(value) is str:  # most of what is shown: asked for first
        return printable(value)
    if not isinstance(value, str) or isinstance(value, Said) or hasattr(value, "__html__"):
        return value
    return printable(value)


# the same few hundred names, times and kinds stand on every page
@lru_cache(maxsize=16_384)
def short(text: str) -> Markup:
    """A long name with its middle left out to the eye; the whole of it stays at hand, and is what is copied.

    Example:
        >>> str(short("ab"))
        '<bdi class="id">ab</bdi>'
    """
    whole = printable(text)
    plain = escape(whole)
    if len(whole) <= 24:
        return Markup(f'<bdi class="id">{plain}</bdi>')  # noqa: S704 - escaped
    brief = f'<span class="brief" aria-hidden="true">{escape(whole[:10])}…{escape(whole[-6:])}</span>'
    return Markup(f'<bdi class="id" title="{plain}"><span class="whole">{plain}</span>{brief}</bdi>')  # noqa: S704


@lru_cache(maxsize=4096)
def when(text: str) -> Markup:
    """A moment, ISO 8601 in UTC, as people read it: to the minute, with the whole of it at hand."""
    if not text:
        return Markup("")
    plain = escape(printable(text))
    shown = plain if len(text) < 17 else escape(f"{printable(text)[:10]} {printable(text)[11:16]}")
    return Markup(f'<time datetime="{plain}" title="{plain}">{shown}</time>')  # noqa: S704 - escaped


@lru_cache(maxsize=16_384)
def in_address(text: str) -> str:
    """A text as a part of an address."""
    return quote(text, safe="")


@lru_cache(maxsize=256)
def kind(language: str, name: str) -> Markup:
    """A kind of box or end: its sign, and its word; a colour only repeats them."""
    sign, text = KINDS.get(name, ("·", name))
    said = escape(words_of(language).say(text) if name in KINDS else printable(name))
    hand = f'<span aria-hidden="true">{sign}</span>'
    return Markup(f'<span class="kind {escape(name)}">{hand} {said}</span>')  # noqa: S704 - escaped


def micro(moment: int | None) -> Markup:
    """The same, of microseconds of Unix time."""
    if moment is None:
        return Markup("")
    return when(datetime.fromtimestamp(moment // 1_000_000, UTC).isoformat().replace("+00:00", "Z"))


def lines(text: str) -> Markup:
    """A text of several lines, as a field or a paragraph that keeps them shows it; all else that is not seen is made so."""
    plain = text.replace("\r\n", "\n").split("\n")
    return Markup("\n").join(escape(printable(line)) for line in plain)


def kib(size: int) -> str:
    """Bytes as people read them."""
    return f"{size:,} B" if size < 10_240 else f"{size // 1024:,} KiB"
