"""Peel chains: follow a large coin through payment after payment, by `findNext` and `findNext2` of Kappos and others.

Example:
    Follow the chain that a transaction is in, by the profile of the cluster that pays in it::

        from shieldwall.trace.peel.follow import follow_peel

        chain = follow_peel(store, clustering, transaction, rule="find-next2")
        print(chain.sentence)
        for hop in chain.hops:
            print(hop.txid, hop.index, hop.why)

The rules follow forward only. Backward, the same reasoning over-reaches: whoever is paid a peeled piece fits a chain as well as
its owner does, so that the paper asks backward about single transactions only, and this room does not ask at all.

What it does not know: who owns a chain. That an output goes on with it is an inference by a named rule, which errs.
"""
