"""Choke points: through which few services, clusters or addresses must the money of a trace pass?

Two answers. *Coverage*: the points that stop the most satoshi, each satoshi counted once, from a date on. *Cut*: the
fewest points without which nothing reaches a service at all.

Example:
    With a store, and the labels of the member's tags (`shieldwall choke` puts both together)::

        from shieldwall.trace.choke.find import Question, find_choke_points
        from shieldwall.trace.targets import find_targets

        targets = find_targets(store, ["15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"])
        print(find_choke_points(store, targets, Question(most=3, cut=True), labels=labels).sentence)

What it does not know: whether a freeze is lawful or will be granted, where the owners of the money would have gone
instead, and families (`shieldwall.trace.families` finds the payments that it starts from).
"""
