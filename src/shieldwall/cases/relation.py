"""Relations: who and what belong together in a case, as somebody says. A relation is a claim; together they are the network."""

from __future__ import annotations

from shieldwall.cases.wording import must_not_mix
from shieldwall.errors import BadInput
from shieldwall.model.claim import ClaimKind, Layer
from shieldwall.model.words import message

RELATION = ClaimKind("relation", {"relation": str, "object_type": str, "object": str}, {"chain": str, "basis": str})
"""That the claim's subject stands in a relation to another thing: `chain` is of an address, `basis` whence it is known."""

TYPES: dict[str, str] = {
    "group": message("group"),
    "person": message("person"),
    "malware": message("malware"),
    "infrastructure": message("infrastructure"),
    "address": message("wallet"),
    "victim": message("victim"),
    "service": message("service"),
    "transaction": message("transaction"),
}
"""What things of a network are; a message each."""

RELATIONS: dict[str, str] = {
    "uses": message("uses"),
    "member of": message("member of"),
    "also called": message("also called"),
    "attacked": message("attacked"),
    "paid to": message("paid to"),
    "asked to pay to": message("asked to pay to"),
    "controls": message("controls"),
    "hosted at": message("hosted at"),
    "sent to": message("sent to"),
    "same owner as": message("same owner as"),
}
"""How they stand to each other; a message each."""

LONGEST = 300  # characters of a name


def relation_statement(
    relation: str, object_type: str, name: str, *, chain: str = "", basis: str = ""
) -> dict[str, str]:
    """The statement of a relation.

    Raises:
        BadInput: No such relation or type, or a name that does not fit.
    """
    if relation not in RELATIONS:
        raise BadInput(f"{relation[:40]!r} is no relation", hint=f"use one of {', '.join(RELATIONS)}")
    must_be_thing(object_type, name)
    found = {"relation": relation, "object_type": object_type, "object": " ".join(name.split())}
    if len(basis) > 2000 or len(chain) > 100:
        raise BadInput("a relation says whence it is known in at most 2,000 characters")
    return found | {key: text for key, text in (("chain", chain), ("basis", basis.strip())) if text}


def must_be_grounded(layer: Layer, basis: str) -> None:
    """Refuse a relation that is more than seen and does not say whence it is known.

    Raises:
        BadInput: It is.
    """
    must_not_mix(basis, "a relation")
    if layer is not Layer.OBSERVATION and not basis.strip():
        raise BadInput(f"an {layer.value} says whence it is known", hint="fill in the rule or the source")


def must_be_thing(kind: str, name: str) -> None:
    """Refuse what is no thing of a network.

    Raises:
        BadInput: It is none.
    """
    if kind not in TYPES:
        raise BadInput(f"{kind[:40]!r} is nothing of a network", hint=f"use one of {', '.join(TYPES)}")
    if not name.strip() or len(name) > LONGEST:
        raise BadInput(f"a thing of a network has a name of at most {LONGEST} characters")
