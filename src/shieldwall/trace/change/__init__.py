"""Which output of a transaction is change: named rules that can be combined, each with what was published of its error.

Example:
    A rule is an object with operators, and a text that says the same::

        from shieldwall.trace.change.decide import decide
        from shieldwall.trace.change.expression import parse
        from shieldwall.trace.change.predicates import address_type, locktime, power_of_ten
        from shieldwall.trace.change.predicate import unique

        rule = unique(address_type & locktime) | power_of_ten(3)
        assert rule == parse("unique(address_type & locktime) | power_of_ten(3)")
        verdict = decide(store, transaction, rule)
        print(verdict.output, verdict.reasons)

An answer is an inference. Every rule gives the outputs that it does not rule out; where exactly one is left, that is the
answer, and else there is none.

What it does not know: clusters, tags, CoinJoins. A transaction of many is no place to look for change; whoever clusters
leaves CoinJoins out before.
"""
