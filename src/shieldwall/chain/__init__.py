"""Blocks and transactions: readers of every source, and the column store that a trace walks.

Example:
    Build a store from block files, then look at it (`shieldwall chain build`, `shieldwall chain info`)::

        from shieldwall.chain.build import build
        from shieldwall.chain.info import summary
        from shieldwall.chain.store import ChainStore

        build(Path("chain"), [Path("blocks/")], network=MAIN)
        with ChainStore.open(Path("chain")) as store:
            print(summary(store)["unspent_value"])

What it does not know: who an address belongs to, and where money goes. A fact here is proven by its own bytes (txid,
merkle root, work) or marked as said by its source; clusters, tags and traces are results on top, never columns.
"""
