"""The benchmark: how fast and how large the chain store is, beside other tools on the same files, and the page that tells it.

Each measurement is a process of its own (`child`), so that memory is its own and nothing is left over from the one before;
competitors take turns, so that a busy moment of the machine hits all of them. Figures go into a results file, and
docs/performance.md follows from that file alone.

Example:
    >>> from bench.results import Results
    >>> def times(results: Results, transactions: int) -> float:
    ...     return results.size(transactions).median("blocks-1")

It knows nothing of clustering, taint or tracing: it measures how a chain gets into the store and is found there again.
"""
