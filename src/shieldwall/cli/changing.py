"""`shieldwall cluster change | rules`: which output of a transaction is change, by which rule, and what a person says."""

from __future__ import annotations

import time
from textwrap import fill

import click

from shieldwall.chain.store import ChainStore
from shieldwall.cli.options import (
    chain_option,
    chosen_format,
    data_option,
    emit_record,
    emit_rows,
    output_option,
    settings,
    width,
)
from shieldwall.errors import PartialData, UsageError
from shieldwall.model.moment import utc
from shieldwall.model.transaction import TXID, internal
from shieldwall.node.wiring import open_chain, overrules
from shieldwall.trace.change.decide import ChangeVerdict, decide
from shieldwall.trace.change.expression import DEFAULT, parse
from shieldwall.trace.change.overrule import check_output, overrule_of
from shieldwall.trace.change.predicates import every_predicate
from shieldwall.trace.change.rates import Published
from shieldwall.trace.printable import printable
from shieldwall.trace.published_rates import NONE_PUBLISHED

_MOST_OUTPUTS = 40  # on a terminal

_RULE_COLUMNS = ("rule", "definition", "tpr", "fpr", "coverage", "looks ahead", "source", "note")


@click.command()
@click.argument("txid")
@chain_option
@data_option
@click.option(
    "--rule", default=DEFAULT, show_default=True, help="Predicates with &, |, - and unique(); see: cluster rules."
)
@click.option("--overrule", metavar="INDEX|none", help="Say what is change, against every rule; needs --why and --by.")
@click.option("--retract", is_flag=True, help="Take back what --by has said of this transaction.")
@click.option("--why", default="", metavar="TEXT", help="The reason for the overrule.")
@click.option("--by", default="", metavar="NAME", help="Who says it.")
@output_option
def change(
    txid: str,
    chain: str | None,
    data: str | None,
    rule: str,
    overrule: str | None,
    retract: bool,
    why: str,
    by: str,
    output: str | None,
) -> None:
    """Which output of transaction TXID is change, and why.

    The answer is an inference by a rule that errs; what was published of its error stands beside it. What a person says of
    a transaction overrules every rule, and is kept as a claim with all its versions.
    """
    config = settings(chain=chain, data=data)
    wanted = parse(rule)
    if not TXID.fullmatch(txid):
        raise UsageError(f"{txid!r} is no txid", hint="a txid is 64 hexadecimal digits")
    if overrule is not None and retract:
        raise UsageError("--overrule and --retract at once", hint="say one of them")
    said = overrules(config)
    with open_chain(config) as store:
        number = store.find_transaction(internal(txid))
        if number is None:
            raise PartialData(
                f"transaction {txid} is not in this store", hint="extend the store: shieldwall chain build"
            )
        now = utc(int(time.time()))
        if overrule is not None:
            index = _index(overrule)
            check_output(store, number, index)
            said.add(overrule_of(store.network, txid, index, why=why, by=by, at=now))
        elif retract:
            said.retract(store.network, txid, by=by, at=now)
        verdict = decide(store, number, wanted, said.standing(store.network))
        answer = {**verdict.as_json(), "outputs": [store.identity(holder) for holder in _holders(store, number)]}
    if chosen_format(output) == "table":
        click.echo(_text(verdict, answer["outputs"]), nl=False)
    else:
        emit_record(answer, output)


def _index(text: str) -> int | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f"--overrule {text!r}", hint="give the index of an output, from 0 on, or none")
    return int(text)


def _holders(store: ChainStore, number: int) -> list[int]:
    numbers = store.output_range(number)
    found: list[int] = store.column("output_holder")[numbers.start : numbers.stop].tolist()
    return found


def _text(verdict: ChangeVerdict, addresses: list[str]) -> str:
    lines = [fill(printable(verdict.summary), width())]
    for index, reasons in enumerate(verdict.reasons[:_MOST_OUTPUTS]):
        mark = "  change" if index == verdict.output else ""
        lines += ["", f"output {index}  {addresses[index]}{mark}"]
        lines += [f"  {'+' if reason.fits else '-'} {reason.predicate}: {reason.why}" for reason in reasons]
    if len(verdict.reasons) > _MOST_OUTPUTS:
        lines.append(f"+ {len(verdict.reasons) - _MOST_OUTPUTS} other outputs (in -o json)")
    lines += ["", "Published of each predicate:"]
    lines += [f"  {text}: {_rates(rate)}" for text, rate in verdict.published.items()]
    if len(verdict.published) > 1:
        lines.append("  of their combination: none published")
    if not verdict.standard and any(rate.known for rate in verdict.published.values()):
        lines.append("  These are of transactions with two outputs, which this one is not.")
    if verdict.looks_ahead:
        lines += ["", "Later blocks may change this answer: the rule looks at what spends the outputs."]
    return "\n".join(lines) + "\n"


def _rates(rate: Published) -> str:
    figures = f"TPR {rate.tpr}, FPR {rate.fpr}, coverage {rate.coverage}" if rate.known else NONE_PUBLISHED
    return f"{figures} ({rate.source}{'; ' + rate.note if rate.note else ''})"


def _shown(rate: Published) -> dict[str, str]:
    return {
        "tpr": rate.tpr or NONE_PUBLISHED,
        "fpr": rate.fpr or NONE_PUBLISHED,
        "coverage": rate.coverage or NONE_PUBLISHED,
        "source": rate.source,
        "note": rate.note,
    }


@click.command()
@output_option
def rules(output: str | None) -> None:
    """The predicates that a change rule is made of: definition, and what was published of the error of each.

    TPR: share of 35.26 million standard transactions in which the rule named the change. FPR: share in which it named the
    other output. Coverage: share of the transactions with unknown change for which it names one.
    """
    rows = [
        {
            "rule": str(predicate),
            "definition": predicate.definition,
            "looks ahead": predicate.looks_ahead,
            **_shown(predicate.published),
        }
        for predicate in every_predicate()
    ]
    columns = ("rule", "tpr", "fpr", "coverage", "definition") if chosen_format(output) == "table" else _RULE_COLUMNS
    emit_rows(rows, columns, output)
