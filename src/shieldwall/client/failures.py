"""What fails on the way to a node, as errors of this program's one tree."""

from __future__ import annotations

import http.client
import ssl

from shieldwall.client.address import NodeAddress
from shieldwall.errors import BadInput, BadText, ShieldwallError

LOOK = "is the node running? after a write, look whether it was done"
"""What to do where no answer came."""


class Unreachable(BadInput):
    """The node did not answer, or not to the end; whether a write was done is then not known."""


class Untrusted(BadInput):
    """Whoever answered did not prove to be the node."""


class Mapped:
    """Turns what the libraries raise into ours; their words may repeat what was sent."""

    def __init__(self, place: str, address: NodeAddress) -> None:
        self._place = place
        self._host = address.origin

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Raise ours in the place of theirs."""
        if error is None or isinstance(error, ShieldwallError):
            return
        if isinstance(error, ssl.SSLCertVerificationError):
            raise Untrusted(
                f"{self._place}: the certificate of {self._host} is not trusted ({error.verify_message})",
                hint="name your unit's CA: authority=FILE; do not go on without",
            ) from None
        if isinstance(error, TimeoutError):
            raise Unreachable(f"{self._place}: {self._host} did not answer in time", hint=LOOK) from None
        if isinstance(error, (http.client.RemoteDisconnected, http.client.IncompleteRead, OSError)):
            raise Unreachable(
                f"{self._place}: no connection to {self._host}, or it broke ({type(error).__name__})", hint=LOOK
            ) from None
        if isinstance(error, (http.client.HTTPException, ValueError, OverflowError)):
            raise BadText(f"{self._place}: {self._host} does not speak HTTP as a node does") from None
