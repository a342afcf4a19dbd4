"""The coin that a result's amounts are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shieldwall.model.network import by_name


def coin_of(body: Mapping[str, Any]) -> str:
    """The sign of the coin of a result's network.

    Example:
        >>> coin_of({"network": "litecoin"}), coin_of({"network": "regtest"})
        ('LTC', 'BTC')
    """
    return by_name(body["network"]).coin
