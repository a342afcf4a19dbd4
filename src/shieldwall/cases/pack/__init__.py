"""The evidence package: a zip that anyone can verify years later, without a node and without us.

Example:
    >>> from shieldwall.cases.pack.verifier import FORMAT
    >>> FORMAT
    'shieldwall-pack/1'

`verifier` is one file that needs the standard library and `cryptography` alone; it is also what stands inside each package as
verify.py, and what `shieldwall verify` runs. `contents` says what is in a package, `writing` writes it, `redaction` makes a new
one that says what it withholds. Format: docs/spec/pack.md.

What it does not know: the node, the store, and who may see what; it is given plain values and bytes.
"""
