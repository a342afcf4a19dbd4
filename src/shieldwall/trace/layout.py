"""Lay a trace out as lanes over time: which boxes a picture shows, which it sums, and where they stand. No drawing.

A column is a transaction, a box tainted money at an address. Whatever is not shown is summed: boxes in "+ n others",
transactions in a column for several. So in each column what comes in is what its boxes and its fee make together, and
every satoshi of the trace is somewhere.

A run of transactions that each spend one output of the one before (`runs`), or in which money did not change hands (`moved`), is
one column, in which what went to one address is one box. What somebody wants to be told apart or summed says an `Arrangement`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from shieldwall.model.words import ENGLISH, Words
from shieldwall.trace.arrangement import MOST_BOXES, MOST_DRAWN, PLAIN, Arrangement
from shieldwall.trace.moved import moved_runs
from shieldwall.trace.printable import printable
from shieldwall.trace.runs import Run, peel_runs

OTHERS = "others-"
"""What the key of a sum begins with."""

MOST_COLUMNS = 24  # transactions shown each in a column; of more, those with the most telling boxes
MOST_IN_RUN = 8  # boxes shown of a folded run
_KEPT_ENDS = 30  # of the boxes shown, those that may be ends: where the money is comes before how it went there


@dataclass(slots=True)
class Box:
    """Tainted money at an address.

    Attributes:
        key: Its outpoint, or the name of a sum.
        amount: Tainted satoshi, with what starts here.
        address: Where it is; "" for a sum.
        kind: Kind of its end; "passed" for money that went on, "seed" for where the trace starts (backward, at the right),
            "others" for a sum.
        words: What is said of it.
        parts: Outputs that it stands for, in a folded run; 1 elsewhere.
        members: Outpoints that it stands for, the largest first where it is a sum.
        inferred: What its name rests on that no chain proves; "" for nothing.
        closed: Transactions that are folded behind it.
        mixed: What its amount is, the method says: see `Column.mixed`, of the transaction that made it.
        time: Of the transaction that made it, of several the first; "" where none in the picture did, and for a sum.
        column: Number of its column.
        until: Last column that a line from it reaches.
        row: Its lane.
    """

    key: str
    amount: int
    address: str
    kind: str = "passed"
    words: str = ""
    parts: int = 1
    members: tuple[str, ...] = ()
    inferred: str = ""
    closed: int = 0
    mixed: bool = False
    time: str = ""
    column: int = 0
    until: int = 0
    row: int = 0

    @property
    def stands_for(self) -> tuple[str, ...]:
        """The outpoints that it stands for; its own where it is no sum."""
        return self.members or (self.key,)


@dataclass(slots=True)
class Column:
    """A transaction, or several that are not told apart; the first column may be that of the starts.

    Attributes:
        time: Of the first transaction; "" for the starts.
        txids: Its transactions.
        incoming: (key of a box, satoshi) that come in.
        boxes: What comes out.
        fee: Tainted satoshi that went to fees.
        run: The folded run that it is; None for none.
        mixed: Other money came in beside what is followed, so that the method, a convention, says what went where.
    """

    time: str = ""
    txids: list[str] = field(default_factory=list)
    incoming: list[tuple[str, int]] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    fee: int = 0
    run: Run | None = None
    mixed: bool = False


def lay_out(
    body: Mapping[str, Any],
    arrangement: Arrangement = PLAIN,
    *,
    unfolded: bool = False,
    clusters: Mapping[str, int] | None = None,
    words: Words = ENGLISH,
) -> list[Column]:
    """The columns of a result's body, in chain order, each box with its column and row.

    Args:
        body: Of a trace result.
        arrangement: What is told apart, and what is summed.
        unfolded: True to leave all peel chains apart.
        clusters: Address -> cluster, to show only where money changed hands; None to show all.
        words: Of the language that boxes speak.
    """
    runs = folded_runs(body, unfolded=unfolded, clusters=clusters)
    runs = [run for run in runs if run.transfers[0]["txid"] not in arrangement.unfolded]
    columns = _folded(_with_runs(_columns(body, words), runs), arrangement, words)
    boxes: dict[str, Box] = {}
    for number, column in enumerate(columns):
        for box in column.boxes:
            box.column = box.until = number
            boxes[box.key] = box
        for key, _ in column.incoming:
            boxes[key].until = number
    _place(columns, boxes)
    return columns


def folded_runs(body: Mapping[str, Any], *, unfolded: bool, clusters: Mapping[str, int] | None) -> list[Run]:
    """The runs that a picture shows as one thing each; arguments as in `lay_out`."""
    moved = [] if clusters is None else moved_runs(body, clusters)
    spoken_for = {transfer["txid"] for run in moved for transfer in run.transfers}
    return moved if unfolded else [*moved, *peel_runs(body, spoken_for)]


def _columns(body: Mapping[str, Any], words: Words) -> list[Column]:
    """One column a transaction, after that of what no transaction here made."""
    ends = {_key(output): (end, output) for end in body["ends"] for output in end["outputs"]}
    leaving = {_key(entry): entry["amount"] for transfer in body["transfers"] for entry in transfer["inputs"]}
    columns = []
    made = set()
    for transfer in body["transfers"]:
        column = Column(transfer["time"], [transfer["txid"]], fee=transfer["fee"], mixed=transfer.get("mixed", False))
        column.incoming = [(_key(entry), entry["amount"]) for entry in transfer["inputs"]]
        for entry in transfer["outputs"]:
            box = Box(f"{transfer['txid']}:{entry['index']}", entry["amount"], entry["address"] or "")
            box.mixed, box.time = column.mixed, column.time
            if body["direction"] == "backward":
                box.kind, box.words = (
                    ("passed", "") if box.key in leaving else ("seed", words.say("the trace starts here"))
                )
            elif box.key in ends:
                end, output = ends[box.key]
                box.kind, box.words, box.amount = end["kind"], _words(end, output, words), output["amount"]
                box.inferred = end.get("inherited") or ""
            elif leaving.get(box.key, box.amount) > box.amount:
                box.amount, box.words = leaving[box.key], words.say("the trace starts here, too")
            made.add(box.key)
            column.boxes.append(box)
        columns.append(column)
    starts = _starts(body, made, words)
    return [Column(boxes=starts), *columns] if starts else columns


def _starts(body: Mapping[str, Any], made: set[str], words: Words) -> list[Box]:
    """Money that enters the picture from outside it: seeds that no transaction in it made; backward, the sources."""
    starts: dict[str, Box] = {}
    backward = body["direction"] == "backward"
    ends = {_key(output): (end, output) for end in body["ends"] for output in end["outputs"]} if backward else {}
    for transfer in body["transfers"]:
        for entry in transfer["inputs"]:
            key = _key(entry)
            if key not in made:
                end, output = ends.get(key, (None, None))
                if end is not None and output is not None:
                    said = _words(end, output, words)
                    starts[key] = Box(key, output["amount"], entry["address"] or "", end["kind"], said)
                    starts[key].inferred = end.get("inherited") or ""
                else:
                    starts[key] = Box(key, entry["amount"], entry["address"] or "", "seed", words.say("start"))
    for end in body["ends"]:
        for place, output in enumerate(end["outputs"]):
            fee = end["kind"] == "fee" and output["index"] is None
            if not fee and _key(output) not in made and _key(output) not in starts:
                key = _key(output) if output["index"] is not None else f"{_key(output)}:{end['rank']}:{place}"
                said = _words(end, output, words)
                starts[key] = Box(key, output["amount"], end["address"] or "", end["kind"], said)
                starts[key].inferred = end.get("inherited") or ""
    return list(starts.values())


def _key(entry: Mapping[str, Any]) -> str:
    return f"{entry['txid']}:{entry['index']}"


def _words(end: Mapping[str, Any], output: Mapping[str, Any], words: Words) -> str:
    match end["kind"]:
        case "service":
            return printable(str(end["service"]))
        case "held":
            return words.say("unspent")
        case "coinbase":
            return words.say("newly mined")
        case "gap":
            return words.say("gap: {txid}", txid=f"{end['gap_txid'][:10]}...")
        case "unknown":
            return words.say("not known whether spent")
        case "mweb":
            return words.say("hidden in the extension block")
        case "limit":
            return words.say("limit: {reason}", reason=output["reason"])
        case _:
            return words.say("destroyed")


def _with_runs(columns: Sequence[Column], runs: Sequence[Run]) -> list[Column]:
    """Each run as one column, where its first transaction stood; what others later spend of it keeps its box."""
    run_of = {transfer["txid"]: run for run in runs for transfer in run.transfers}
    members: dict[tuple[str, int], list[Column]] = {(run.kind, run.number): [] for run in runs}
    for column in columns:
        run = run_of.get(column.txids[0]) if column.txids else None
        if run is not None:
            members[run.kind, run.number].append(column)
    renamed: dict[str, str] = {}
    made = []
    for column in columns:
        run = run_of.get(column.txids[0]) if column.txids else None
        if run is None:
            made.append(column)
        elif column is members[run.kind, run.number][0]:
            made.append(_one_column(run, members[run.kind, run.number], renamed))
    for column in made:
        column.incoming = _summed((renamed.get(key, key), amount) for key, amount in column.incoming)
    return made


def _one_column(run: Run, members: Sequence[Column], renamed: dict[str, str]) -> Column:
    """A run as a column: what goes on inside it is not told, what one address got of it is one box."""
    whole = Column(members[0].time, [txid for column in members for txid in column.txids])
    whole.fee = sum(column.fee for column in members)
    whole.incoming = [pair for column in members for pair in column.incoming if pair[0] not in run.inside]
    whole.run, whole.mixed = run, any(column.mixed for column in members)
    groups: dict[tuple[str, str, str], list[Box]] = {}
    for box in (box for column in members for box in column.boxes if box.key not in run.inside):
        alone = "" if box.address and box.kind != "seed" and "starts here" not in box.words else box.key
        groups.setdefault((box.kind, box.address, alone), []).append(box)
    for (kind, address, _), boxes in groups.items():
        amount = sum(box.amount for box in boxes)
        if len(boxes) == 1:
            whole.boxes += boxes
            continue
        key = f"{run.kind}-{run.number}-{boxes[0].key}"
        renamed |= {box.key: key for box in boxes}
        words = boxes[0].words if len({box.words for box in boxes}) == 1 else ""
        made = Box(key, amount, address, kind, words, parts=len(boxes), members=_outpoints(boxes))
        made.inferred, made.mixed = boxes[0].inferred, any(box.mixed for box in boxes)
        made.time = boxes[0].time
        whole.boxes.append(made)
    return whole


def _folded(columns: Sequence[Column], arrangement: Arrangement, words: Words) -> list[Column]:
    """Keep the boxes that tell most; sum the others of each column, and columns with nothing kept, run by run."""
    behind = _behind(columns, arrangement)
    kept = _kept(columns, arrangement, behind)
    single = len(columns) <= _most_columns(arrangement)
    runs: list[list[Column]] = []

    def is_shown(place: int) -> bool:
        return place not in behind and (single or any(box.key in kept for box in columns[place].boxes))

    for shown, run in groupby(range(len(columns)), is_shown):
        members = [columns[place] for place in run]
        runs += [[column] for column in members] if shown else [members]
    renamed: dict[str, str] = {}
    return [_joined(run, kept, renamed, words) for run in runs]


def _most_columns(arrangement: Arrangement) -> int:
    """Transactions shown each in a column: more where more boxes are asked for."""
    return MOST_COLUMNS * max(1, arrangement.boxes // (2 * MOST_BOXES))


def _behind(columns: Sequence[Column], arrangement: Arrangement) -> set[int]:
    """Columns that all their money comes to by boxes behind which everything is summed; those boxes learn how many."""
    if not arrangement.closed:
        return set()
    hidden: dict[str, Box] = {}  # key of a box -> the closed one that it is behind
    found: set[int] = set()
    for place, column in enumerate(columns):
        if column.incoming and all(key in hidden for key, _ in column.incoming):
            pinned = any(arrangement.pinned.intersection(box.stands_for) for box in column.boxes)
            if not pinned:
                found.add(place)
                owner = hidden[column.incoming[0][0]]
                owner.closed += len(column.txids)
                hidden |= {box.key: owner for box in column.boxes}
                continue
        hidden |= {box.key: box for box in column.boxes if arrangement.closed.intersection(box.stands_for)}
    return found


def _kept(columns: Sequence[Column], arrangement: Arrangement, behind: set[int]) -> set[str]:
    """Keys of the boxes to show: those asked for, the largest ends, then the largest of all; few columns where there are many."""
    ranked = sorted(
        ((box, number) for number, column in enumerate(columns) if number not in behind for box in column.boxes),
        key=lambda entry: (-entry[0].amount, entry[1], entry[0].key),
    )
    asked = arrangement.shown | arrangement.pinned
    wanted = [entry for entry in ranked if asked.intersection(entry[0].stands_for)][:MOST_DRAWN]
    kept = {box.key for box, _ in wanted}
    used = {number for _, number in wanted}
    shown = Counter(number for _, number in wanted)
    ranked = [entry for entry in ranked if entry[0].amount >= arrangement.least]
    ends = [entry for entry in ranked if entry[0].kind != "passed"][: arrangement.boxes * _KEPT_ENDS // MOST_BOXES]
    most = _most_columns(arrangement)
    most = most // 2 if len(columns) > most else most
    room = min(max(arrangement.boxes, len(kept) + MOST_BOXES // 2), MOST_DRAWN)
    for box, number in (*ends, *ranked):
        full = columns[number].run is not None and shown[number] >= MOST_IN_RUN
        if box.key not in kept and not full and len(kept) < room and (number in used or len(used) < most):
            kept.add(box.key)
            used.add(number)
            shown[number] += 1
    return kept


def _joined(columns: Sequence[Column], kept: set[str], renamed: dict[str, str], words: Words) -> Column:
    """One column of several: what passes between them is not told, what is small is summed in one box."""
    spent = dict(_summed(pair for column in columns for pair in column.incoming))
    made = {box.key for column in columns for box in column.boxes}
    inside = made & spent.keys()  # of these, what is spent in here is not told
    joined = Column(columns[0].time, [txid for column in columns for txid in column.txids])
    joined.fee = sum(column.fee for column in columns)
    joined.mixed = any(column.mixed for column in columns)
    if len(columns) == 1:
        joined.run = columns[0].run
    joined.incoming = _summed(
        (renamed.get(key, key), amount) for column in columns for key, amount in column.incoming if key not in inside
    )
    leaving = []
    for box in (box for column in columns for box in column.boxes):
        if box.key not in inside:
            leaving.append(box)
        elif spent[box.key] < box.amount:  # a sum of which a part is spent elsewhere, or stays
            leaving.append(replace(box, amount=box.amount - spent[box.key]))
    joined.boxes = [box for box in leaving if box.key in kept]
    small = [box for box in leaving if box.key not in kept]
    if len(small) == 1:  # a sum of one would take the same room, and tell less
        joined.boxes += small
    elif small:
        name = f"{OTHERS}{small[0].key}"
        renamed |= {box.key: name for box in small}
        said = words.count("+ {number} other", "+ {number} others", len(small))
        rest = Box(name, sum(box.amount for box in small), "", "others", said, members=_outpoints(small))
        rest.mixed = any(box.mixed for box in small)
        joined.boxes.append(rest)
    return joined


def _outpoints(boxes: Sequence[Box]) -> tuple[str, ...]:
    """What boxes stand for, the largest first."""
    ordered = sorted(boxes, key=lambda box: (-box.amount, box.key))
    return tuple(key for box in ordered for key in box.stands_for)


def _summed(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for key, amount in pairs:
        sums[key] = sums.get(key, 0) + amount
    return list(sums.items())


def _place(columns: Sequence[Column], boxes: Mapping[str, Box]) -> None:
    """Give boxes rows: the largest goes on in its payer's lane, others take the first lane that is free."""
    busy: list[int] = []  # last column that each row is taken in
    for number, column in enumerate(columns):
        payers = [boxes[key] for key, _ in sorted(column.incoming, key=lambda pair: (-pair[1], pair[0]))]
        for payer in payers:
            if payer.until == number:
                busy[payer.row] = number - 1
        for rank, box in enumerate(sorted(column.boxes, key=lambda box: (box.kind == "others", -box.amount, box.key))):
            wanted = payers[0].row if payers and rank == 0 else None
            if wanted is None or busy[wanted] >= number:
                wanted = next((row for row, until in enumerate(busy) if until < number), len(busy))
            if wanted == len(busy):
                busy.append(-1)
            box.row = wanted
            busy[wanted] = max(box.until, number)
