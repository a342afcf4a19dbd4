"""CoinJoins: whether a transaction has the shape that the published rules describe, by which of them, and how sure that is.

Example:
    Type one transaction, as `shieldwall cluster coinjoin TXID` does::

        from shieldwall.chain.store import ChainStore
        from shieldwall.trace.coinjoin.verdict import type_of

        with ChainStore.open(Path("chain")) as store:
            verdict = type_of(store, 12)
            print(verdict.kind, verdict.reasons, verdict.vetoes)

What it does not know: who took part. A type is an inference from a shape; a single payer can make every one of these shapes.
"""
