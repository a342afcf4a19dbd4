"""python-bitcoinlib: every block deserialised, every txid computed, every input resolved by a dictionary; no addresses."""

from __future__ import annotations

from io import BytesIO
from time import perf_counter

import numpy as np
from bitcoin.core import CBlock

from bench.job import Job, Outcome
from bench.same import summary

_FRAME = 8  # bytes before a block: magic and length


def run(job: Job) -> Outcome:
    """Values, links and spenders of the chain in the block files."""
    begin = perf_counter()
    live: dict[tuple[bytes, int], int] = {}
    values: list[int] = []
    links: list[int] = []
    spender: list[int] = []
    transactions = 0
    for path in job.chain.blocks:
        with path.open("rb") as file:
            while frame := file.read(_FRAME):
                data = BytesIO(file.read(int.from_bytes(frame[4:], "little")))
                for transaction in CBlock.stream_deserialize(data).vtx:
                    for entry in () if transaction.is_coinbase() else transaction.vin:
                        spent = live.pop((entry.prevout.hash, entry.prevout.n), -1)
                        links.append(spent)
                        if spent >= 0:
                            spender[spent] = transactions
                    txid = transaction.GetTxid()
                    for index, output in enumerate(transaction.vout):
                        live[txid, index] = len(values)
                        values.append(output.nValue)
                        spender.append(-1)
                    transactions += 1
    arrays = [np.array(numbers, np.int64) for numbers in (values, links, spender)]
    seconds = perf_counter() - begin
    return Outcome(seconds, {"summary": summary(values=arrays[0], links=arrays[1], spender=arrays[2])})
