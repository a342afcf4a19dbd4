"""Transaction ids, through libcrypto: hashlib's one digest call a transaction is not what limits a build today."""

from shieldwall.kernels.plain.hashing import txids

__all__ = ["txids"]
