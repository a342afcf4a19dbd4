"""`shieldwall node serve`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from shieldwall.cli.node_options import folder_of, node_options, source_of, this_user
from shieldwall.cli.telling import tell
from shieldwall.node.home import open_home


@click.command()
@node_options
@click.option("--listen", metavar="ADDRESS", help="The address to listen on; beyond this machine it needs TLS.")
@click.option("--port", type=click.IntRange(1, 65_535), help="The port; else that of node.toml.")
@click.option(
    "--accept-clock", is_flag=True, help="Go on with a clock that stands before the last entry of the audit log."
)
def serve(
    folder: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    listen: str | None,
    port: int | None,
    accept_clock: bool,
) -> None:
    """Serve the node until it is stopped: the API, the page that signs people in, jobs and watches.

    On this machine alone at http://localhost; beyond it only with tls_certificate and tls_key in node.toml. Starting runs the
    self-test of the cryptography, and refuses a clock or an audit log that does not fit.
    """
    from shieldwall.node.serving import Door, serve_app  # noqa: PLC0415 - only this command needs a server

    path = folder_of(folder)
    source = source_of(key_file, passphrase_stdin)
    environ = dict(os.environ)
    if listen:
        environ["SHIELDWALL_NODE_LISTEN"] = listen
    if port:
        environ["SHIELDWALL_NODE_PORT"] = str(port)
    home = open_home(path, source, identity=this_user(), environ=environ, accept_clock=accept_clock)
    with home:
        door = Door.of(home.config)
        from shieldwall.node.node import Node  # noqa: PLC0415 - as above
        from shieldwall.web.app import create  # noqa: PLC0415 - as above
        from shieldwall.web.taxii.server import create_taxii  # noqa: PLC0415 - as above

        node = Node(home)
        tell(f"{home.config.name}: {home.config.origin}; its key is {home.keys.public.spoken}")
        partners = None
        if home.config.taxii is not None:
            partners = (create_taxii(node), Door.of_partners(home.config.taxii))
            tell(f"partners: https://{home.config.taxii.listen}:{home.config.taxii.port}/taxii2/")
        serve_app(create(node), door, path, partners)
