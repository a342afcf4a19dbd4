"""What a transaction shows of the software that made it, and whether two transactions may be one actor's.

A fingerprint is what everyone sees in a transaction beside its amounts: version, locktime, sequences, kinds of scripts, the
order of inputs and outputs, the fee. Two that agree may still be of two people with one wallet program; one person may use
two programs. So `compare` gives reasons for and against, says how rare each agreement is around them, and never proves.

Example:
    With a store::

        from shieldwall.chain.store import ChainStore
        from shieldwall.trace.fingerprint.compare import compare
        from shieldwall.trace.fingerprint.single import fingerprint_of

        with ChainStore.open(Path("chain")) as store:
            print(fingerprint_of(store, 7).as_dict())
            print(compare(store, 7, 9).sentence)

For whole chains there is one word a transaction: `shieldwall.kernels.plain.profiles.profile_bits` and its compiled twin.

What it does not know: tags, names of wallet programs, which output is change (a caller may say), who asks.
"""
