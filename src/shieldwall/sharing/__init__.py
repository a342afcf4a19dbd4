"""What goes to others and comes from them, in the field's standards: STIX 2.1 objects, their markings, and what may go to whom.

Objects of others are kept as the bytes that came (`stix.object`); what is read of them is a frozen value beside those bytes:

    >>> from shieldwall.sharing.stix.object import read_object
    >>> raw = b'{"type": "url", "id": "url--c1477287-23ac-5971-a010-5c287877fa60", "value": "x"}'
    >>> read_object(raw, "here").type
    'url'

This room knows claims, markings and STIX. It does not know where anything is kept, who asks, or which room a claim came from.
"""
