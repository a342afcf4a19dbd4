"""Minimum vertex cut, in plain Python: maximum flow by blocking flows on the graph with each node split in two.

Sources: Dinic, "Algorithm for solution of a problem of maximum flow in a network with power estimation", Soviet
Mathematics Doklady 11 (1970); Ford and Fulkerson, "Maximal flow through a network" (1956) for flow = cut; splitting of
nodes: Even, "An algorithm for determining whether the connectivity of a graph is at least k" (1975).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from shieldwall.kernels.arrays import UNCUTTABLE, Bytes, Offsets


def vertex_cut(first: Offsets, target: Offsets, weight: Offsets, source: Bytes, sink: Bytes) -> tuple[int, Bytes]:
    """Nodes of the least total weight without which no source reaches a sink; of equal cuts the one nearest the sources.

    Args:
        first: int64[n + 1]; the edges of node v are `target[first[v]:first[v + 1]]`.
        target: int64[m], the node that each edge leads to.
        weight: int64[n], what removing a node costs, 0 or more, their sum below half of `UNCUTTABLE`; that where it
            cannot be removed.
        source: uint8[n], 1 where ways begin.
        sink: uint8[n], 1 where they end.

    Returns:
        The cut's weight, -1 where no cut exists; and uint8[n], 1 for its nodes.
    """
    nodes = len(first) - 1
    network = _Network(2 * nodes, 2 * nodes + 1)  # node v is entered at 2v and left at 2v + 1
    for node in range(nodes):
        network.join(2 * node, 2 * node + 1, int(weight[node]))
        if source[node]:
            network.join(network.begin, 2 * node, UNCUTTABLE)
        if sink[node]:
            network.join(2 * node + 1, network.end, UNCUTTABLE)
        for other in target[first[node] : first[node + 1]].tolist():
            network.join(2 * node + 1, 2 * other, UNCUTTABLE)
    total = 0
    network.find_levels()
    while network.level[network.end] >= 0:
        for pushed in network.block():
            if pushed >= UNCUTTABLE >> 1:
                return -1, np.zeros(nodes, np.uint8)
            total += pushed
        network.find_levels()
    level = network.level
    return total, np.array([level[2 * node] >= 0 > level[2 * node + 1] for node in range(nodes)], np.uint8)


class _Network:
    """Arcs with room for flow; arc a ^ 1 is a's way back. Flow goes from `begin` to `end`."""

    def __init__(self, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end
        self.level: list[int] = []  # steps from `begin` over arcs with room; -1 where there is no way
        self._arcs: list[list[int]] = [[] for _ in range(end + 1)]
        self._heads: list[int] = []
        self._room: list[int] = []

    def join(self, tail: int, head: int, room: int) -> None:
        """An arc, and its way back, which has no room yet."""
        self._arcs[tail].append(len(self._heads))
        self._arcs[head].append(len(self._heads) + 1)
        self._heads += (head, tail)
        self._room += (room, 0)

    def find_levels(self) -> None:
        """Breadth first."""
        level = self.level = [-1] * len(self._arcs)
        level[self.begin] = 0
        queue = deque([self.begin])
        while queue:
            tail = queue.popleft()
            for arc in self._arcs[tail]:
                head = self._heads[arc]
                if self._room[arc] > 0 and level[head] < 0:
                    level[head] = level[tail] + 1
                    queue.append(head)

    def block(self) -> Iterator[int]:
        """Push flow, level by level, along ways until none is left; gives what each push moves."""
        tried = [0] * len(self._arcs)
        way: list[int] = []  # arcs from `begin`
        at = self.begin
        while True:
            if at == self.end:
                pushed = min(self._room[arc] for arc in way)
                yield pushed
                full = self._push(way, pushed)
                at = self._heads[way[full] ^ 1]
                del way[full:]
            elif tried[at] < len(self._arcs[at]):
                arc = self._arcs[at][tried[at]]
                if self._room[arc] > 0 and self.level[self._heads[arc]] == self.level[at] + 1:
                    way.append(arc)
                    at = self._heads[arc]
                else:
                    tried[at] += 1
            elif way:
                at = self._heads[way.pop() ^ 1]
                tried[at] += 1
            else:
                return

    def _push(self, way: list[int], pushed: int) -> int:
        """Move flow along a way; the place of its first arc without room."""
        full = 0
        for place in range(len(way) - 1, -1, -1):
            self._room[way[place]] -= pushed
            self._room[way[place] ^ 1] += pushed
            if self._room[way[place]] == 0:
                full = place
        return full
