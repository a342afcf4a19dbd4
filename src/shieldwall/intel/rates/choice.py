"""From what a person says (a currency, files) to what values by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shieldwall.errors import UsageError
from shieldwall.intel.rates.readers import read_rates
from shieldwall.intel.rates.valuer import Valuer


def choose_valuer(
    currency: str | None, files: Sequence[str | Path], within: int = 0, coin: str = "BTC"
) -> Valuer | None:
    """What values amounts of `coin` in `currency` by the rates in `files`; None where neither is named.

    Raises:
        UsageError: One without the other, a file that cannot be opened, or files that do not lead to the currency.
        BadText: A file that is no rate file.
    """
    if currency is None:
        if files or within:
            raise UsageError("rates say how to value, but not in what", hint="name the currency too, as in --fiat USD")
        return None
    if not files:
        raise UsageError(
            f"to value in {currency} takes rates, and none are shipped",
            hint="name files of them: --rates FILE; docs/rates.md tells where from",
        )
    return Valuer([read_rates(Path(file)) for file in files], currency.strip().upper(), within, coin)
