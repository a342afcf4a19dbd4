"""Frozen values of the domain: networks, scripts, addresses, amounts, markings, claims. No input, no output.

Example:
    >>> from shieldwall.model import address, amount, network
    >>> script = address.decode("15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr", network.MAIN)
    >>> script.kind.label, amount.btc(7_500_050_000)
    ('p2pkh', '75.0005')

What it does not know: files, the network, the clock, and every other room.
"""
