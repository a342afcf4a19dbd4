"""Minimum vertex cut, compiled; the twin of `shieldwall.kernels.plain.cutting`, where the sources are named."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import UNCUTTABLE, Bytes, Offsets


def vertex_cut(first: Offsets, target: Offsets, weight: Offsets, source: Bytes, sink: Bytes) -> tuple[int, Bytes]:
    """As `shieldwall.kernels.plain.cutting.vertex_cut`."""
    total, cut = _cut(*map(np.ascontiguousarray, (first, target, weight, source, sink)))
    return int(total), cut


@njit(cache=True, nogil=True)
def _cut(first: Any, target: Any, weight: Any, source: Any, sink: Any) -> Any:
    nodes = len(first) - 1
    begin, end = 2 * nodes, 2 * nodes + 1
    tails, heads, room = _arcs(first, target, weight, source, sink)
    start, order = _by_tail(tails, 2 * nodes + 2)
    level = np.empty(2 * nodes + 2, np.int64)
    queue = np.empty(2 * nodes + 2, np.int64)
    tried = np.empty(2 * nodes + 2, np.int64)
    way = np.empty(2 * nodes + 2, np.int64)
    total = np.int64(0)
    _levels(level, queue, start, order, heads, room, begin)
    while level[end] >= 0:
        tried[:] = start[:-1]
        steps = 0
        at = begin
        while True:
            if at == end:
                pushed = room[way[0]]
                for place in range(steps):
                    pushed = min(pushed, room[way[place]])
                if pushed >= UNCUTTABLE >> 1:
                    return np.int64(-1), np.zeros(nodes, np.uint8)
                total += pushed
                shortest = 0
                for place in range(steps - 1, -1, -1):
                    room[way[place]] -= pushed
                    room[way[place] ^ 1] += pushed
                    if room[way[place]] == 0:
                        shortest = place
                at = tails[way[shortest]]
                steps = shortest
            elif tried[at] < start[at + 1]:
                arc = order[tried[at]]
                if room[arc] > 0 and level[heads[arc]] == level[at] + 1:
                    way[steps] = arc
                    steps += 1
                    at = heads[arc]
                else:
                    tried[at] += 1
            elif steps > 0:
                steps -= 1
                at = tails[way[steps]]
                tried[at] += 1
            else:
                break
        _levels(level, queue, start, order, heads, room, begin)
    cut = np.zeros(nodes, np.uint8)
    for node in range(nodes):
        if level[2 * node] >= 0 and level[2 * node + 1] < 0:
            cut[node] = 1
    return total, cut


@njit(cache=True, nogil=True)
def _arcs(first: Any, target: Any, weight: Any, source: Any, sink: Any) -> Any:
    """Tail, head and room of each arc; arc a ^ 1 is a's way back."""
    nodes = len(first) - 1
    count = 2 * (nodes + len(target) + int((source != 0).sum()) + int((sink != 0).sum()))
    tails, heads, room = np.empty(count, np.int64), np.empty(count, np.int64), np.zeros(count, np.int64)
    at = 0
    for node in range(nodes):
        tails[at], heads[at], room[at] = 2 * node, 2 * node + 1, weight[node]
        at += 2
        if source[node]:
            tails[at], heads[at], room[at] = 2 * nodes, 2 * node, UNCUTTABLE
            at += 2
        if sink[node]:
            tails[at], heads[at], room[at] = 2 * node + 1, 2 * nodes + 1, UNCUTTABLE
            at += 2
        for edge in range(first[node], first[node + 1]):
            tails[at], heads[at], room[at] = 2 * node + 1, 2 * target[edge], UNCUTTABLE
            at += 2
    for arc in range(0, count, 2):
        tails[arc + 1], heads[arc + 1] = heads[arc], tails[arc]
    return tails, heads, room


@njit(cache=True, nogil=True)
def _by_tail(tails: Any, nodes: Any) -> Any:
    """Arcs by the node that they leave: int64[nodes + 1] of first places, and the arcs."""
    start = np.zeros(nodes + 1, np.int64)
    for arc in range(len(tails)):
        start[tails[arc] + 1] += 1
    for node in range(nodes):
        start[node + 1] += start[node]
    place = start[:-1].copy()
    order = np.empty(len(tails), np.int64)
    for arc in range(len(tails)):
        order[place[tails[arc]]] = arc
        place[tails[arc]] += 1
    return start, order


@njit(cache=True, nogil=True)
def _levels(level: Any, queue: Any, start: Any, order: Any, heads: Any, room: Any, begin: Any) -> None:
    """Steps of every node from `begin` over arcs with room; -1 where there is no way."""
    level[:] = -1
    level[begin] = 0
    queue[0] = begin
    done, found = 0, 1
    while done < found:
        tail = queue[done]
        done += 1
        for place in range(start[tail], start[tail + 1]):
            head = heads[order[place]]
            if room[order[place]] > 0 and level[head] < 0:
                level[head] = level[tail] + 1
                queue[found] = head
                found += 1
