"""Divide taint by haircut, in whole satoshi, over one transaction and over a whole chain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shieldwall.kernels.arrays import NONE64, Counts32, Graph, Offsets

_NO_LINK = (1 << 40) - 1


def shares(part: int, weights: Offsets) -> Offsets:
    """`part` divided in proportion to `weights`, none lost: floors, then one each to the largest remainders (Hamilton).

    Args:
        part: Satoshi, not more than the weights together.
        weights: int64[n]

    Returns:
        int64[n]; of equal remainders the first gets one more. All 0 where the weights are.
    """
    whole = int(weights.sum())
    if not whole:
        return np.zeros(len(weights), np.int64)
    divided = [divmod(part * weight, whole) for weight in weights.tolist()]
    found = [floor for floor, _ in divided]
    left = part - sum(found)
    for place in sorted(range(len(found)), key=lambda place: (-divided[place][1], place))[:left]:
        found[place] += 1
    return np.array(found, np.int64)


def haircut(graph: Graph, seeds: Offsets, first: int) -> tuple[npt.NDArray[np.int64], Offsets, int]:
    """Haircut from `seeds` over all that comes after them in the chain, exact to the satoshi.

    Source: Möser, Böhme, Breuker 2014, policy Haircut; whole satoshi by largest remainder, outputs first, the fee last.

    Args:
        graph: The chain.
        seeds: int64[s], ascending outputs to start from, each whole.
        first: Transaction of the first of them.

    Returns:
        int64[o]: tainted satoshi of every output that money came to, also of those spent since. int64[4]: tainted satoshi
        that miners took; that stay before a transaction whose division needs an amount that nobody gives; that were
        started from, each once; that came back to a seed. And the first transaction whose rows are damaged; -1 for none.
    """
    taint = np.zeros(len(graph.value), np.int64)
    sums = np.zeros(4, np.int64)
    wanted = list(reversed(seeds.tolist()))
    for number in range(first, len(graph.flags)):
        inputs = rows_of(graph.first_input, graph.first_input_carries, number, len(graph.link))
        outputs = rows_of(graph.first_output, graph.first_output_carries, number, len(graph.value))
        links = [int(graph.link[place]) | int(graph.link_high[place]) << 32 for place in inputs]
        if any(len(graph.value) <= link != _NO_LINK for link in links):
            return taint, sums, number
        coming = sum(int(taint[link]) for link in links if link != _NO_LINK)
        if coming:
            values = [_value(graph, place, link) for place, link in zip(inputs, links, strict=True)]
            if None in values:
                sums[1] += coming
            else:
                weights = graph.value[outputs.start : outputs.stop].astype(np.int64)
                fee = max(0, sum(value or 0 for value in values) - int(weights.sum()))
                divided = shares(coming, np.append(weights, fee))
                taint[outputs.start : outputs.stop] = divided[:-1]
                sums[0] += divided[-1]
        while wanted and wanted[-1] < outputs.stop:
            seed = wanted.pop()
            value = int(graph.value[seed])
            sums[2] += value - taint[seed]
            sums[3] += taint[seed]
            taint[seed] = value
    return taint, sums, -1


def rows_of(low: Counts32, carries: Offsets, row: int, total: int) -> range:
    """The rows that belong to `row` of an ascending column; `total` ends those of the last one."""
    ends = [
        int(low[each]) + (int(np.searchsorted(carries, each, "right")) << 32) if each < len(low) else total
        for each in (row, row + 1)
    ]
    return range(*ends)


def _value(graph: Graph, number: int, link: int) -> int | None:
    if link != _NO_LINK:
        return int(graph.value[link])
    row = int(np.searchsorted(graph.outside, np.uint64(number)))
    value = int(graph.outside_value[row])
    return None if value == NONE64 else value
