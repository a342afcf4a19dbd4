"""Whether two pipelines gave the same answer, told by digests of their arrays."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


def summary(
    *, values: Numbers, links: Numbers, spender: Numbers, holder: Numbers | None = None
) -> dict[str, int | str]:
    """Counts, sums and digests of what a pipeline made.

    Args:
        values: int64[o], satoshi of each output.
        links: int64[i], number of the output that each input spends; -1 for none.
        spender: int64[o], number of the transaction that spends each output; -1 for none.
        holder: int64[o], any numbering of who holds each output; None where the pipeline makes none.
    """
    told: dict[str, int | str] = {
        "outputs": len(values),
        "inputs": len(links),
        "satoshi": int(values.sum()),
        "spent": int(np.count_nonzero(spender >= 0)),
        "values": _digest(values),
        "links": _digest(links),
        "spenders": _digest(spender),
    }
    if holder is not None:
        _, first, inverse = np.unique(holder, return_index=True, return_inverse=True)
        told["holders"] = len(first)
        told["holder"] = _digest(first[inverse])  # the first output of each holder: the same whatever the numbering
    return told


def same(ours: dict[str, int | str], theirs: dict[str, int | str]) -> bool:
    """True when all that the other pipeline made is what ours made."""
    return all(ours.get(name) == value for name, value in theirs.items())


def _digest(numbers: Numbers) -> str:
    return sha256(np.ascontiguousarray(numbers, np.int64).tobytes()).hexdigest()
