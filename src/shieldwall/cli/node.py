"""`shieldwall node`: the place where a unit works."""

from __future__ import annotations

import click

from shieldwall.cli.lazy import LazyGroup
from shieldwall.errors import UsageError

_COMMANDS = {
    "init": ("shieldwall.cli.node_init", "Make a node in a new folder."),
    "serve": ("shieldwall.cli.node_serve", "Serve the node."),
    "try": ("shieldwall.cli.node_try", "Serve a node to try things out on."),
    "status": ("shieldwall.cli.node_state", "Show versions, sizes, keys and where the audit log stands."),
    "check": ("shieldwall.cli.node_state", "Look whether everything is as it should be."),
    "backup": ("shieldwall.cli.node_backup", "Write a backup while the node runs."),
    "backup-key": ("shieldwall.cli.node_backup", "Make an offline key that backups are sealed to."),
    "restore": ("shieldwall.cli.node_backup", "Make a new node folder of a backup."),
    "recover": ("shieldwall.cli.node_people", "Make a one-time link for someone who lost their passkeys."),
    "token": ("shieldwall.cli.node_people", "Create, list and revoke machine tokens."),
    "key": ("shieldwall.cli.node_key", "The node's identity and the key slots that open it."),
    "audit": ("shieldwall.cli.node_audit", "Show, verify, export and prove the audit log."),
}


class NodeGroup(LazyGroup):
    """The commands of a node, which need what most commands do without."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now.

        Raises:
            UsageError: The extra `node` is not installed.
        """
        try:
            return super().get_command(ctx, cmd_name)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("shieldwall"):
                raise
            raise UsageError(f"a node needs {error.name}", hint="pip install 'shieldwall[node]'") from None


@click.group(cls=NodeGroup, commands_by_name=_COMMANDS)
def node() -> None:
    """Make, serve and look after a node: claims, people, markings and an audit log."""
