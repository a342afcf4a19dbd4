"""Watches: an address, a cluster or the end of a trace that rings when its money moves.

Example:
    >>> from shieldwall.node.watches.looking import Movement, Seen, Tip, begin, look
    >>> before = begin(Tip(height=100), {})
    >>> paid = Movement(kind="received", txid="ab" * 32, amount=5_000, height=101)
    >>> after, events = look(before, Tip(height=101), {paid.txid: paid}, still=())
    >>> [(event.kind, event.amount) for event in events]
    [('received', 5000)]
    >>> look(after, Tip(height=102), {paid.txid: paid}, still=())[1]
    []

What it does not know: who is signed in, and how anything is shown. The tables are `store.watches`.
"""
