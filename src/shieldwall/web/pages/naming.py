"""What things of the program are called on pages: jobs, files, claims, roles, steps; each a message."""

from __future__ import annotations

from collections.abc import Mapping

from shieldwall.model.words import Words, message

NAMES: Mapping[str, Mapping[str, str]] = {
    "job": {
        "chain.build": message("building a chain store"),
        "chain.follow": message("following the chain"),
        "cluster.build": message("clustering addresses"),
        "trace": message("trace of money"),
        "screening": message("screening of addresses"),
    },
    "stage": {
        "waiting for the store": message("waiting for the store"),
        "writing": message("writing"),
        "building": message("building"),
        "reading blocks": message("reading blocks"),
        "reading headers": message("reading headers"),
        "reading answers": message("reading answers"),
        "reading facts": message("reading facts"),
        "reading JSON lines": message("reading JSON lines"),
        "reading which block transactions are of": message("reading which block transactions are of"),
        "fetching transactions": message("fetching transactions"),
        "fetching the history": message("fetching the history"),
        "checking the source": message("checking the source"),
    },
    "file": {
        "upload": message("uploaded file"),
        "trace": message("trace"),
        "sheet": message("saved sheet"),
        "screening": message("screening of addresses"),
        "report": message("report"),
        "evidence": message("evidence"),
        "letter": message("letter"),
        "pack": message("evidence package"),
    },
    "claim": {
        "actor": message("actor"),
        "change-overrule": message("change, overruled"),
        "clustering": message("clustering"),
        "hop": message("published step of money"),
        "note": message("note"),
        "sheet": message("saved sheet"),
        "tag": message("tag"),
        "trace": message("trace"),
        "finding": message("finding"),
        "event": message("event"),
        "incident": message("incident"),
        "relation": message("relation"),
    },
    "decision": {
        "release": message("released"),
        "withdraw": message("withdrawn"),
        "recall": message("recalled: a newer version is marked stricter"),
        "add": message("added by a partner"),
        "delete": message("taken out by a partner"),
    },
    "opinion": {
        "strongly-disagree": message("disagrees strongly"),
        "disagree": message("disagrees"),
        "neutral": message("is neutral"),
        "agree": message("agrees"),
        "strongly-agree": message("agrees strongly"),
    },
    "role": {
        "viewer": message("viewer"),
        "analyst": message("analyst"),
        "approver": message("approver"),
        "auditor": message("auditor"),
        "administrator": message("administrator"),
    },
    "step": {
        "expand": message("opened"),
        "collapse": message("folded"),
        "pin": message("pinned"),
        "unpin": message("pin taken off"),
        "least": message("least value set"),
        "boxes": message("number of boxes set"),
        "note": message("note written"),
        "tag": message("tag set"),
        "overrule": message("change overruled"),
        "watch": message("watch set"),
    },
    "case": {
        "open": message("open"),
        "closed": message("closed"),
    },
    "entry": {
        "event": message("event"),
        "transfer": message("transfer"),
        "finding": message("finding"),
        "incident": message("incident"),
        "evidence": message("evidence"),
        "request": message("request"),
        "reply": message("reply"),
        "trace": message("trace"),
        "pack": message("evidence package"),
        "note": message("note"),
        "member": message("member"),
        "retraction": message("taken back"),
        "status": message("state of the case"),
    },
    "likelihood": {
        "almost no chance": message("almost no chance"),
        "very unlikely": message("very unlikely"),
        "unlikely": message("unlikely"),
        "roughly even chance": message("roughly even chance"),
        "likely": message("likely"),
        "very likely": message("very likely"),
        "almost certain": message("almost certain"),
    },
    "confidence": {
        "low": message("low"),
        "moderate": message("moderate"),
        "high": message("high"),
    },
    "told": {
        "began": message("it began"),
        "found": message("it was noticed"),
        "demand_until": message("end of the demand"),
        "paid_at": message("it was paid"),
        "intake": message("intake taken"),
        "told anew": message("the incident was told anew"),
    },
    "request": {
        "preserve": message("Preserve"),
        "freeze": message("Freeze"),
        "disclose": message("Disclose"),
        "inform": message("Inform"),
        "take-down": message("Take down"),
    },
    "request_state": {
        "draft": message("draft"),
        "waiting for approval": message("waits for approval"),
        "approved": message("approved, to be sent"),
        "sent": message("sent"),
        "acknowledged": message("acknowledged"),
        "answered": message("answered"),
        "withdrawn": message("request withdrawn"),
        "retracted": message("request taken back"),
    },
    "deed": {
        "draft": message("drafted"),
        "submit": message("approval asked for"),
        "approve": message("approved"),
        "give back": message("given back"),
        "withdraw": message("request withdrawn"),
        "send": message("letters made, sent"),
        "acknowledge": message("acknowledged"),
        "answer": message("answered"),
        "renew": message("renewed"),
        "retract": message("request taken back"),
    },
    "result": {
        "held": message("held"),
        "partly held": message("partly held"),
        "moved on": message("moved on"),
        "no account": message("no account"),
        "preserved": message("preserved"),
        "disclosed": message("disclosed"),
        "done": message("done"),
        "refused": message("refused"),
    },
    "due": {
        "acknowledge": message("a word from them"),
        "expires": message("the request ends"),
        "renew": message("ask for renewal"),
    },
    "needs": {
        "request": message("a request is enough"),
        "police request": message("a request of the police"),
        "court order": message("a court order"),
        "sanctions listing": message("a sanctions listing"),
        "mutual assistance": message("mutual assistance"),
        "not stated": message("not stated by the recipient"),
    },
    "side": {
        "input": message("input"),
        "output": message("output"),
    },
    "copy": {
        "original": message("original"),
        "working copy": message("working copy"),
    },
    "custody": {
        "acquired": message("acquired"),
        "copied": message("copied"),
        "examined": message("examined"),
        "moved": message("moved"),
        "handed over": message("handed over"),
        "verified": message("verified"),
        "packed": message("packed"),
        "redacted": message("redacted"),
        "returned": message("returned"),
        "destroyed": message("was destroyed"),
    },
    "layer": {
        "observation": message("observation"),
        "inference": message("inference"),
        "attribution": message("attribution"),
    },
    "thing": {
        "group": message("group"),
        "person": message("person"),
        "malware": message("malware"),
        "infrastructure": message("infrastructure"),
        "address": message("wallet"),
        "victim": message("victim"),
        "service": message("service"),
        "transaction": message("transaction"),
        "cluster": message("cluster"),
    },
    "relation": {
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
    },
    "answer": {
        "yes": message("yes"),
        "no": message("no"),
        "partly": message("partly"),
        "unknown": message("unknown"),
        "not received": message("not received"),
        "received, works": message("received, works"),
        "received, works partly": message("received, works partly"),
        "received, does not work": message("received, does not work"),
    },
    "span": {
        "hours": message("hours"),
        "days": message("days"),
        "business_days": message("business days"),
        "months": message("months"),
    },
    "start": {
        "aware": message("from when it was noticed"),
        "occurred": message("from when it happened"),
        "determined_material": message("from when it was found material"),
        "payment": message("from the payment"),
        "believed": message("from when there was reason to believe it"),
        "classified": message("from when it was classified"),
    },
    "outcome": {
        "done": message("done"),
        "refused": message("refused"),
        "failed": message("failed"),
    },
}
"""By what it is a name of: the program's word, and its name for people."""


def name_in_words(words: Words, what: str, name: str) -> str:
    """What people call a thing of the program; one that has no name in `NAMES` keeps its own.

    Example:
        >>> from shieldwall.model.words import ENGLISH
        >>> name_in_words(ENGLISH, "job", "chain.build"), name_in_words(ENGLISH, "job", "chain.eat")
        ('building a chain store', 'chain.eat')

    Raises:
        KeyError: Nothing of that sort has names.
    """
    text = NAMES[what].get(name)
    return name if text is None else words.say(text)
