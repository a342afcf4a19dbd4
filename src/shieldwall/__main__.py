"""`python -m shieldwall`."""

from shieldwall.cli import main

main()
