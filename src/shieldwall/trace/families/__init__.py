"""Ransomware families: their tagged addresses, what was paid to them, and where it was cashed out.

Example:
    With a store and the member's tag sets (`shieldwall family` puts both together)::

        from shieldwall.trace.families.family import families_of
        from shieldwall.trace.families.statistics import payment_statistics

        found = families_of(tag_sets.select(None), store.network)
        print(payment_statistics(store, found, tag_sets.select(None).versions).sentence)

What it does not know: whether a tag is right, addresses of a family that nobody tagged, and payments in other coins.
"""
