"""Plain lists: one address a line, as sanctions lists and leaks come. Quotes, commas, brackets and `#` are skipped.

A file called `sanctioned_addresses_XBT.txt` is an OFAC list (github.com/0xB10C/ofac-sanctioned-digital-currency-
addresses): its label, abuse and currency follow from the name. Another list takes its currency from a name that ends in
one (`_ETH.txt`), else from the options, else it is Bitcoin; its label from the options, else from the set's name.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from shieldwall.errors import BadText
from shieldwall.intel.fields import TagBuilder, marking_of
from shieldwall.intel.interface import Pack, ReadOptions, Rejected
from shieldwall.intel.subject import suggest
from shieldwall.intel.textfile import decode
from shieldwall.model.claim import Claim

OFAC_LABEL = "OFAC SDN list"

_OFAC_NAME = re.compile(r"sanctioned_addresses_[A-Z0-9]{2,6}\.txt")
_CURRENCY_SUFFIX = re.compile(r"_([A-Z]{3,5})\.[a-z]+")
_WRAPPING = " \t\r\n\"'`,;[](){}"


def parse(raw: bytes, place: str, options: ReadOptions) -> Pack:
    """The addresses of a list as claims with one label; lines that are no address are rejected.

    Raises:
        BadText: Not text, or no label for it.
    """
    text = decode(raw, place)
    name = place.rpartition("/")[2]
    ofac = bool(_OFAC_NAME.fullmatch(name))
    if ofac:
        options = replace(
            options,
            label=options.label or OFAC_LABEL,
            abuse=options.abuse or "sanction",
            source=options.source or OFAC_LABEL,
            made_by=options.made_by or "US Treasury, OFAC",
            confidence=options.confidence or "authority_data",
        )
    suffix = _CURRENCY_SUFFIX.search(name)
    currency = options.currency or (suffix[1] if suffix else "BTC")
    if not (options.label or options.set_name):
        raise BadText(f"{place}: a list has no labels of its own", hint="give --label")
    options = replace(options, label=options.label or options.set_name)
    # a list that nobody signs is what its file says, no more
    builder = TagBuilder(options, options.made_by or name, marking_of(None, options), hashlib.sha256(raw).hexdigest())
    claims: list[Claim] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip(_WRAPPING)
        if not entry or entry.startswith("#"):
            continue
        local = f"line {number}"
        built = builder.build({"address": entry, "currency": currency}, f"{place}:{number}", local)
        (rejected if isinstance(built, Rejected) else claims).append(built)  # type: ignore[arg-type]
    return Pack(
        reader="addresslist",
        claims=tuple(claims),
        rejected=suggest(rejected, options.network),
        title=OFAC_LABEL if ofac else "",
    )
