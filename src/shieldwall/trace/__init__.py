"""Follow money: from addresses, transactions, outputs and inputs to where it is or came from, exactly, by a named method.

Example:
    With a store and no tags (`shieldwall trace` adds the member's tag sets and the directory of who can freeze)::

        from shieldwall.chain.store import ChainStore
        from shieldwall.trace.follow import follow
        from shieldwall.trace.limits import Limits
        from shieldwall.trace.targets import find_targets

        with ChainStore.open(Path("chain")) as store:
            result = follow(store, find_targets(store, ["15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"]), "fifo", Limits())
            print(result.sentence)

What it does not know: where a chain store's facts and a tag came from, cases, and who asks.
"""
