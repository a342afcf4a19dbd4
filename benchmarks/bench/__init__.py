"""The benchmark: how fast and large the chain store is, how fast money is followed, and how often rules are right.

Three parts: `suite` builds and reads stores beside other tools on the same files; `tracing` clusters, taints, walks, looks up
and screens, beside other tools on the same arrays (`turns`); `accuracy` holds rules to the simulator's truth. Each
measurement is a process of its own (`child`), so that memory is its own and nothing is left over from the one before;
competitors take turns, so that a busy moment of the machine hits all of them. Figures go into a results file, and
docs/performance.md and docs/accuracy.md follow from that file alone.

Example:
    >>> from bench.results import Results
    >>> def times(results: Results, transactions: int) -> float:
    ...     return results.size(transactions).median("blocks-1")

It does not know real chains: all is measured on simulated ones, and no rate here is one of the field.
"""
