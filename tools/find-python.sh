#!/bin/sh
# Print a Python of 3.11 or later: the one that was asked for ($1); for plain "python3" also one under its version's name.
set -eu

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

asked=${1:-python3}
others="python3.14 python3.13 python3.12 python3.11"
[ "$asked" = python3 ] || others=

for python in "$asked" $others; do
    if fits "$python"; then
        echo "$python"
        exit 0
    fi
done

echo "Shieldwall needs Python 3.11 or later; $asked is: $("$asked" --version 2>&1 | head -n 1)" >&2
echo "Name one: make PYTHON=python3.12 ..." >&2
exit 1
