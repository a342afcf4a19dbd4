"""docs/coinjoin.md tells the rules that the program has."""

from shieldwall.kernels.plain.coinjoins import PRECEDENCE
from shieldwall.trace.coinjoin.kinds import KINDS


def test_the_table_is_the_registry(root):
    page = (root / "docs" / "coinjoin.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    expected = []
    for code in PRECEDENCE:
        kind = KINDS[code]
        told = [f"{rate.what}: {rate.value}" + (f" ({rate.source})" if rate.known else "") for rate in kind.published]
        expected.append(
            f"| `{kind.name}` | {kind.rule} | {kind.source} | {'; '.join(told)} | {kind.first_height or 'any'} |"
        )
    assert rows == expected
