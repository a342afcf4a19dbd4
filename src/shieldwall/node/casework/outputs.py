"""The files of a request: letters in the languages of both sides, CSV and JSON to copy from, signature, answer form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shieldwall.cases.demands import lacking
from shieldwall.cases.languages import LETTERS, letter_words
from shieldwall.cases.legal import LegalProfile
from shieldwall.cases.letter import Key, as_html, compose
from shieldwall.cases.letter_pdf import as_pdf
from shieldwall.cases.reply import reply_page
from shieldwall.cases.request import Request
from shieldwall.errors import UsageError
from shieldwall.model.canonical import canonical_json
from shieldwall.node.casework.references import profiles_of

if TYPE_CHECKING:
    from shieldwall.node.node import Node

PURPOSE = "request"
"""What a signature over request.json is for."""

RETRACTION_FORMAT, RETRACTION_PURPOSE = "shieldwall-retraction/1", "request-retraction"
"""A request that is taken back says so in a file of its own, signed for nothing else: nobody can make it of the request."""


def languages_of(node: Node, request: Request) -> list[str]:
    """The languages of its letters: that in which it was written, and the first that its recipient reads."""
    profile = profiles_of(node).get(request.recipient.profile)
    wanted = [request.language, *(profile.languages[:1] if profile else ())]
    return list(dict.fromkeys(each for each in wanted if each in LETTERS)) or ["en"]


def letter_files(
    node: Node,
    request: Request,
    *,
    day: str,
    legal: LegalProfile | None,
    key: Key | None = None,
    retracts: str = "",
) -> dict[str, bytes]:
    """Every file that goes out, by its name.

    A PDF is left out where the node has not the extra `pdf`; the HTML says the same.
    """
    recipient = profiles_of(node).get(request.recipient.profile)
    lacks = lacking(request, recipient, legal)
    text = request.to_json().encode()
    table = request.to_csv()
    languages = languages_of(node, request)
    files: dict[str, bytes] = {}
    for language in languages:
        letter = compose(request, letter_words(language), lacks=lacks, legal=legal, key=key, retracts=retracts)
        ending = f".{language}"
        files[f"letter{ending}.html"] = as_html(letter).encode()
        try:
            files[f"letter{ending}.pdf"] = as_pdf(letter, day, table)
        except UsageError:  # the extra is not installed
            continue
    files["request.csv"] = table.encode()
    files["request.json"] = text
    files["request.sig.json"] = canonical_json(dict(node.keys().sign(PURPOSE, text))) + b"\n"
    files["keys.json"] = canonical_json(node.keys().identity.as_dict()) + b"\n"
    if retracts:
        told = {
            "format": RETRACTION_FORMAT,
            "request": request.id,
            "digest": request.digest,
            "reason": retracts,
            "at": day,
        }
        raw = canonical_json(told) + b"\n"
        files["retraction.json"] = raw
        files["retraction.sig.json"] = canonical_json(dict(node.keys().sign(RETRACTION_PURPOSE, raw))) + b"\n"
    else:
        files["reply.html"] = reply_page(request, letter_words(languages[-1])).encode()
    return files
