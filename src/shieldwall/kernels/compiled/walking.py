"""Walk money forward over a chain's arrays, transaction by transaction in chain order, exactly.

The twin is `shieldwall.trace.walk.Walker`, which says the same in objects; both give one answer. Only what is touched is
held, in arrays that grow: a kernel that has no room for the next transaction, or has used its budget, returns and goes on
where it stopped when it is called again, so that a long walk can report progress and be interrupted. What takes more than
arrays to tell (published hops, what sources state of spends, the words of a reason) is left as a code to whoever calls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from shieldwall.kernels.arrays import NONE32, Graph
from shieldwall.kernels.compiled.atomic import prefetch
from shieldwall.kernels.compiled.bare import bare
from shieldwall.kernels.compiled.columns import ascending, link, rows_from
from shieldwall.kernels.compiled.walk_division import BY, LAID, PAID, PAYER, PAYER_ROW, SHARE, divide, gather
from shieldwall.kernels.compiled.walk_tables import (
    NODE_BITS,
    add,
    drop_first,
    find,
    holds,
    home,
    rehash,
    set_of,
    stands_in,
)
from shieldwall.kernels.walks import (
    AMOUNT,
    AT,
    BEGUN,
    BEGUN_AMOUNT,
    BEGUN_TRANSACTION,
    BEYOND,
    BROKEN,
    BURNT,
    CAME,
    COUNT,
    DONE,
    END_AMOUNT,
    END_DETAIL,
    END_KIND,
    END_OUTPUT,
    END_ROW,
    END_TRANSACTION,
    ENDED,
    FIFO,
    FOLLOWED,
    FULL,
    HEAPED,
    HEIGHT,
    HOP,
    HOPS,
    LEAST,
    LIFO,
    MINER,
    NEXT,
    NO_HEIGHT,
    NODE_COMING,
    NODE_FIRST,
    NODE_FOLLOWED,
    NODE_LAST,
    NODE_RUNS,
    NODE_SEED,
    NODES,
    OPEN,
    ORIGIN,
    OUTPUT,
    PAUSED,
    PLACE,
    RETURNED,
    ROWS,
    RUN_COUNT,
    RUN_FIRST,
    RUNS,
    SEED,
    SERVICE,
    STEP_FEE,
    STEP_HOP,
    STEP_ROW,
    STEP_ROW_COUNT,
    STEP_TAKEN,
    STEP_TAKEN_COUNT,
    STEP_TRANSACTION,
    STEPS,
    STUCK,
    TAKEN,
    TAKEN_AMOUNT,
    TAKEN_OUTPUT,
    TAKEN_PLACE,
    TIME,
    TRANSACTION,
    UNKNOWN_SEED,
    UNSPENDABLE,
    WANTED,
    Question,
    State,
    fresh,
)

__all__ = ["Walking", "reached_by", "set_of"]

_NODE_MASK = (1 << NODE_BITS) - 1
_SOON = 3  # transactions at the top of the heap whose rows are asked for early
_BUDGET = 1 << 14  # transactions between two reports of progress


@bare
def _too_late(first: Any, heights: Any, times: Any, until_height: Any, until_time: Any, spender: Any) -> Any:
    """Why a spend in the block of `spender` is not followed; 0 when it is."""
    low, high = 0, len(first)
    while low < high:  # the block behind that of the spender
        middle = (low + high) >> 1
        if first[middle] <= spender:
            low = middle + 1
        else:
            high = middle
    block = low - 1
    if until_height >= 0:
        if heights[block] == np.uint32(NONE32):
            return NO_HEIGHT
        if heights[block] > until_height:
            return HEIGHT
    if until_time >= 0 and times[block] > until_time:
        return TIME
    return 0


@njit(inline="always")
def _end(
    endings: Any, counts: Any, kind: Any, row: Any, output: Any, transaction: Any, amount: Any, detail: Any
) -> None:
    place = counts[ENDED]
    counts[ENDED] = place + 1
    endings[place, END_KIND] = kind
    endings[place, END_ROW] = row
    endings[place, END_OUTPUT] = output
    endings[place, END_TRANSACTION] = transaction
    endings[place, END_AMOUNT] = amount
    endings[place, END_DETAIL] = detail


@bare
def _begin(question: Any, state: Any) -> None:
    for seed in range(len(question.seed_transaction)):
        _, at = find(state.table, state.nodes, question.seed_transaction[seed])
        node = add(state.table, state.nodes, state.heap, state.counts, question.seed_transaction[seed], at)
        state.nodes[node, NODE_SEED] = seed


@bare
def _walk(graph: Any, question: Any, state: Any, budget: Any) -> Any:
    # every array by a name of its own: one taken out of a tuple in a loop is counted in and out each time
    first_input, first_input_carries = graph.first_input, graph.first_input_carries
    first_output, first_output_carries = graph.first_output, graph.first_output_carries
    value_of, holder_of, spender_of = graph.value, graph.holder, graph.spender
    link_low, link_high, outside, outside_values = graph.link, graph.link_high, graph.outside, graph.outside_value
    seed_input, seed_output, seed_spent = question.seed_input, question.seed_output, question.seed_spent
    seed_input_first, seed_output_first = question.seed_input_first, question.seed_output_first
    block_first, block_height, block_time = question.block_first, question.block_height, question.block_time
    services, method = question.services, question.method
    counts, table, heap, nodes, rows, runs = state.counts, state.table, state.heap, state.nodes, state.rows, state.runs
    steps, taken, endings, begun = state.steps, state.taken, state.endings, state.begun
    coming, laid, going = state.coming, state.laid, state.going
    transactions, total_in, total_out = len(graph.flags), len(link_low), len(value_of)
    timed = question.until_height >= 0 or question.until_time >= 0
    ordered = method in (FIFO, LIFO)
    left = budget
    while counts[HEAPED]:
        if left == 0:
            return PAUSED
        left -= 1
        node = heap[0] & _NODE_MASK
        transaction = heap[0] >> NODE_BITS
        begin_in, end_in = rows_from(first_input, first_input_carries, transaction, total_in)
        begin, end = rows_from(first_output, first_output_carries, transaction, total_out)
        if end_in < begin_in or end_in > total_in or end < begin or end > total_out:
            counts[AT] = transaction
            return BROKEN
        inputs, count, waiting = end_in - begin_in, end - begin, nodes[node, NODE_RUNS]
        if (
            counts[ROWS] + count > len(rows)
            or counts[NODES] + count > len(nodes)
            or 2 * (counts[NODES] + count) > len(table)
            or counts[HEAPED] + count > len(heap)
            or counts[RUNS] + waiting + inputs + 2 * count > len(runs)
            or counts[STEPS] >= len(steps)
            or counts[TAKEN] + inputs > len(taken)
            or counts[ENDED] + inputs + count + 1 > len(endings)
            or inputs >= len(coming)
            or waiting + inputs > len(laid)
            or count + 1 > going.shape[1]
        ):
            counts[WANTED] = max(inputs, count) + waiting
            return FULL
        counts[HEAPED] = drop_first(heap, counts[HEAPED])
        for each in range(min(counts[HEAPED], _SOON)):  # ask memory for what comes next
            soon = heap[each] >> NODE_BITS
            prefetch(link_low, ascending(first_input, first_input_carries, soon))
            first = ascending(first_output, first_output_carries, soon)
            prefetch(value_of, first)
            prefetch(spender_of, first)

        # what comes in, and how it divides
        seed = nodes[node, NODE_SEED]
        seeds = seeds_last = asked = asked_last = np.int64(0)
        if seed >= 0:
            seeds, seeds_last = seed_output_first[seed], seed_output_first[seed + 1]
            asked, asked_last = seed_input_first[seed], seed_input_first[seed + 1]
        first_seed = seeds
        first_row, step, hop = counts[ROWS], np.int64(-1), np.int64(-1)
        if nodes[node, NODE_COMING] or asked < asked_last:
            payers, unknown, looked_at, hop = gather(
                value_of, link_low, link_high, outside, outside_values, seed_input, coming, rows, counts, begun,
                method, transaction, nodes[node, NODE_FIRST], nodes[node, NODE_COMING], asked, asked_last, begin_in, end_in,
            )  # fmt: skip
            if payers < 0:
                counts[AT], counts[PLACE] = transaction, unknown
                return UNKNOWN_SEED if payers == -1 else BROKEN
            if payers and unknown >= 0:
                for payer in range(payers):
                    spent = link(link_low, link_high, begin_in + coming[payer, PAYER])
                    row, amount = coming[payer, PAYER_ROW], coming[payer, PAID]
                    _end(endings, counts, STUCK, row, spent, transaction, amount, unknown)
            elif payers:
                fee = divide(value_of, coming, rows, runs, laid, counts, going, method, payers, looked_at, begin, count)
                step = counts[STEPS]
                counts[STEPS] = step + 1
                steps[step, STEP_TRANSACTION] = transaction
                steps[step, STEP_HOP] = hop + 1
                steps[step, STEP_FEE] = fee
                steps[step, STEP_TAKEN] = counts[TAKEN]
                steps[step, STEP_TAKEN_COUNT] = payers
                steps[step, STEP_ROW] = first_row
                for payer in range(payers):
                    place = counts[TAKEN] + payer
                    taken[place, TAKEN_PLACE] = coming[payer, PAYER]
                    taken[place, TAKEN_OUTPUT] = link(link_low, link_high, begin_in + coming[payer, PAYER])
                    taken[place, TAKEN_AMOUNT] = coming[payer, PAID]
                counts[TAKEN] += payers
                if fee:
                    _end(endings, counts, MINER, -1, -1, transaction, fee, 0)
            row = nodes[node, NODE_FIRST]
            while row >= 0:
                rows[row, RUN_COUNT] = 0  # it is passed
                row = rows[row, NEXT]

        # the outputs that money comes to
        runs_end = counts[RUNS]
        places = count if step >= 0 else seeds_last - seeds
        for each in range(places):
            place = np.int64(each) if step >= 0 else seed_output[seeds] - begin
            came = going[SHARE, place] if step >= 0 else np.int64(0)
            amount, origin, at_hop, output = came, np.int64(-1), hop + 1, begin + place
            run_first, run_count = counts[RUNS], np.int64(0)
            if seeds < seeds_last and seed_output[seeds] == output:
                seeds += 1
                amount, at_hop = np.int64(value_of[output]), np.int64(0)
                counts[SEED] += amount - came
                counts[RETURNED] += came
                if amount > came:
                    begun[counts[BEGUN], BEGUN_TRANSACTION] = transaction
                    begun[counts[BEGUN], BEGUN_AMOUNT] = amount - came
                    counts[BEGUN] += 1
                if ordered:
                    runs[run_first, 0] = 0
                    runs[run_first, 1] = amount
                    counts[RUNS] = run_first + 1
                    run_count = np.int64(1)
            elif came:
                payer = coming[going[BY, place], PAYER_ROW]
                if payer >= 0:
                    origin = rows[payer, OUTPUT]
                if ordered:
                    run_first = going[LAID, place]
                    run_count = (going[LAID, place + 1] if place + 1 < count else runs_end) - run_first
            if amount:
                row = counts[ROWS]
                counts[ROWS] = row + 1
                rows[row, OUTPUT] = output
                rows[row, TRANSACTION] = transaction
                rows[row, AMOUNT] = amount
                rows[row, CAME] = came
                rows[row, HOP] = at_hop
                rows[row, ORIGIN] = origin
                rows[row, NEXT] = -1
                rows[row, RUN_FIRST] = run_first
                rows[row, RUN_COUNT] = run_count
        if step >= 0:
            steps[step, STEP_ROW_COUNT] = counts[ROWS] - first_row

        # follow them, or end there
        for row in range(first_row, counts[ROWS]):
            output, amount = rows[row, OUTPUT], rows[row, AMOUNT]
            spender = np.int64(spender_of[output])
            is_seed = seed >= 0 and stands_in(seed_output[first_seed:seeds_last], output)
            brought = len(seed_spent) > 0 and stands_in(seed_spent, output)
            kind, detail = -1, 0
            if spender == UNSPENDABLE:
                kind = BURNT
            elif len(services) > 1 and not is_seed and not brought and holds(services, holder_of[output]):
                kind = SERVICE
            elif spender >= transactions:
                kind = OPEN
            else:
                if not brought:
                    if rows[row, HOP] >= question.hops:
                        detail = HOPS
                    elif amount < question.least:
                        detail = LEAST
                    elif timed:
                        detail = _too_late(
                            block_first, block_height, block_time, question.until_height, question.until_time, spender
                        )
                if detail == 0:
                    to, at = find(table, nodes, spender)
                    if (
                        counts[FOLLOWED] >= question.transactions
                        and not brought
                        and (to < 0 or not nodes[to, NODE_FOLLOWED])
                    ):
                        detail = COUNT  # one that is followed already takes more; a new one would be one too many
                    else:
                        if to < 0:
                            to = add(table, nodes, heap, counts, spender, at)
                            prefetch(first_input, spender)
                            prefetch(first_output, spender)
                        counts[FOLLOWED] += 1 - nodes[to, NODE_FOLLOWED]
                        nodes[to, NODE_FOLLOWED] = 1
                        nodes[to, NODE_COMING] += 1
                        nodes[to, NODE_RUNS] += rows[row, RUN_COUNT]
                        if nodes[to, NODE_LAST] >= 0:
                            rows[nodes[to, NODE_LAST], NEXT] = row
                        else:
                            nodes[to, NODE_FIRST] = row
                        nodes[to, NODE_LAST] = row
                if detail:
                    kind = BEYOND
            if kind >= 0:
                rows[row, RUN_COUNT] = 0
                _end(endings, counts, kind, row, output, transaction, amount, detail)
    return DONE


@bare
def _compact(rows: Any, count: Any, runs: Any, kept: Any) -> Any:
    """Copy the runs of rows that are still to be passed; returns how many they are."""
    place = 0
    for row in range(count):
        first, size = rows[row, RUN_FIRST], rows[row, RUN_COUNT]
        if size:
            rows[row, RUN_FIRST] = place
            for run in range(size):
                kept[place, 0] = runs[first + run, 0]
                kept[place, 1] = runs[first + run, 1]
                place += 1
    return place


@bare
def _reached_by(graph: Any, seeds: Any, hops: Any, most: Any, table: Any, queue: Any) -> Any:
    mask = len(table) - 1
    count = 0
    for output in seeds:
        count = _enter(graph, output, most, table, mask, queue, count)
    first = 0
    for _ in range(hops - 1):  # the first spends are those of the seeds
        last = count
        if first == last or count >= most:
            break
        for place in range(first, last):
            begin, end = rows_from(graph.first_output, graph.first_output_carries, queue[place], len(graph.value))
            for output in range(begin, end):
                count = _enter(graph, output, most, table, mask, queue, count)
        first = last
    return count


@bare
def _enter(graph: Any, output: Any, most: Any, table: Any, mask: Any, queue: Any, count: Any) -> Any:
    spender = np.int64(graph.spender[output])
    if spender >= len(graph.flags) or count >= most:
        return count
    at = home(spender, mask)
    while table[at] >= 0:
        if table[at] == spender:
            return count
        at = (at + 1) & mask
    table[at] = spender
    queue[count] = spender
    if spender + 1 < len(graph.first_output):
        prefetch(graph.first_output, spender)
    return count + 1


class Walking:
    """A walk under way.

    Args:
        graph: The chain.
        question: What to walk from, and how far.
        size: Transactions to make room for at first; a power of two.

    Attributes:
        state: What it has found; whole when `run` says `DONE`.
    """

    def __init__(self, graph: Graph, question: Question, size: int = 1 << 14) -> None:
        self._graph = graph
        self._question = question
        size = max(size, 1 << (2 * len(question.seed_transaction)).bit_length())
        self.state: State = fresh(len(question.seed_output) + len(question.seed_input), size)
        _begin(question, self.state)

    def run(self, budget: int = _BUDGET) -> int:
        """Go on for so many transactions; returns `DONE`, `PAUSED`, `UNKNOWN_SEED` or `BROKEN` (see `walks`)."""
        status: int = FULL
        while status == FULL:
            status = _walk(self._graph, self._question, self.state, budget)
            if status == FULL:
                self._grow()
        return status

    def _grow(self) -> None:
        """Double what is short, and more where one transaction wants it; taint that is passed is let go of."""
        state, counts = self.state, self.state.counts
        more = int(counts[WANTED])
        live = int(state.rows[: counts[ROWS], RUN_COUNT].sum())
        kept = np.empty((2 * live + 3 * more + len(state.rows), 2), np.int64)
        counts[RUNS] = _compact(state.rows, int(counts[ROWS]), state.runs, kept)
        grown = {
            name: _longer(getattr(state, name), int(counts[field]), 3 * more)
            for name, field in (
                ("heap", HEAPED), ("nodes", NODES), ("rows", ROWS), ("steps", STEPS), ("taken", TAKEN), ("endings", ENDED),
            )
        }  # fmt: skip
        table = np.zeros(1 << (4 * len(grown["nodes"]) - 1).bit_length(), np.int64)
        rehash(grown["nodes"], int(counts[NODES]), table)
        wide = max(len(state.coming), 2 * more + 2)
        self.state = state._replace(
            runs=kept,
            table=table,
            coming=np.empty((wide, 6), np.int64),
            laid=np.empty((max(len(state.laid), 3 * more + 2), 3), np.int64),
            going=np.empty((6, wide), np.int64),
            **grown,
        )


def _longer(array: npt.NDArray[np.int64], used: int, more: int) -> npt.NDArray[np.int64]:
    if used + more <= len(array) // 2:
        return array
    longer = np.empty((2 * len(array) + more, *array.shape[1:]), np.int64)
    longer[:used] = array[:used]
    return longer


def reached_by(graph: Graph, seeds: npt.NDArray[np.int64], hops: int, most: int) -> npt.NDArray[np.int64]:
    """The transactions that the spends of `seeds` lead to, breadth first: no taint, no limit but hops and number.

    Args:
        graph: The chain.
        seeds: int64[s], outputs.
        hops: Most spends from a seed.
        most: Most transactions.

    Returns:
        int64[k], as they were met.
    """
    size = 1 << max(2 * most, 2).bit_length()
    queue = np.empty(most, np.int64)
    count = _reached_by(graph, np.array(seeds, np.int64), hops, most, np.full(size, -1, np.int64), queue)
    return queue[:count]
