"""Many addresses at once: what tags say of each, what the chain store holds, and whom its money reached within some hops.

Example:
    ::

        from shieldwall.trace.screening.exposure import Exposures
        from shieldwall.trace.screening.screener import Screener
        from shieldwall.trace.tagged_holders import TaggedHolders

        exposures = Exposures(store, TaggedHolders.of(store, index), hops=3)
        screener = Screener(index, store, exposures)
        rows = screener.rows(["15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"])

An address of which nothing is known is unknown: nothing here says that one is clean.

What it does not know: where an amount is now (that is a trace's work), and who asks.
"""
