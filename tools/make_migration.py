"""Write a migration from what the newest revision makes to what `store/schema.py` says: tools/make_migration.py NUMBER TITLE.

The result is a draft to read: a column that must be filled needs a step by hand.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from shieldwall.store import Secrets, migrate
from shieldwall.store.schema import metadata
from shieldwall.store.sqlite import Backend

HEAD = '''"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; there is no way back but a backup."""
'''


def main() -> None:
    """See the module's docstring."""
    number, title = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        secrets = Secrets(bytes(32))
        backend = Backend(str(Path(folder) / "node.db"), secrets)
        known = migrate.known()
        if known:
            migrate.to_newest(backend, secrets, 0)
        with backend.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "render_as_batch": bool(known)}
            )
            steps = produce_migrations(context, metadata).upgrade_ops or sys.exit("nothing to do")
        body = render_python_code(steps, render_as_batch=bool(known), migration_context=context)
    before = f'"{known[0]}"' if known else "None"
    path = migrate.SCRIPTS / "versions" / f"{number}_{title.lower().replace(' ', '_')}.py"
    lines = [line for line in body.splitlines() if not line.strip().startswith("#")]
    text = HEAD.format(title=title, number=number, before=before) + "\n".join(lines) + "\n"
    path.write_text(text, encoding="utf-8")
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, str(path)], check=True)  # noqa: S603 - fixed words
    print(path)


if __name__ == "__main__":
    main()
