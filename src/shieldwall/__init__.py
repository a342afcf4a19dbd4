"""Shieldwall: a self-hosted coalition node against cybercrime."""

__version__ = "0.1.0"
