"""`shieldwall node try`."""

from __future__ import annotations

from pathlib import Path

import click

from shieldwall.cli.node_init import sign_in_link
from shieldwall.cli.node_options import this_user
from shieldwall.cli.telling import tell


@click.command("try")
@click.argument("directory", type=click.Path(path_type=Path), default=Path("shieldwall-try"), metavar="[DIR]")
@click.option("--port", type=click.IntRange(1, 65_535), default=8420, show_default=True, help="Its port.")
def try_(directory: Path, port: int) -> None:
    """Serve a node to try things out on, with both acts of the demonstration loaded, from DIR (default: shieldwall-try).

    The first time it is made, and the link is printed by which you make a passkey; later it goes on as it was left. Throw the
    folder away to begin anew.
    """
    from shieldwall.node.home import open_home  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.keysource import credential_file  # noqa: PLC0415
    from shieldwall.node.node import Node  # noqa: PLC0415
    from shieldwall.node.serving import Door, serve_app  # noqa: PLC0415
    from shieldwall.node.tryout import COLLEAGUE, KEY, NODE, PERSON, fill_tryout, make_tryout  # noqa: PLC0415
    from shieldwall.web.app import create  # noqa: PLC0415

    operator, secrets = this_user(), dict[str, str]()
    if (directory / NODE).is_dir():
        home = open_home(directory / NODE, lambda: credential_file(directory / KEY), identity=operator)
    else:
        home, secrets = make_tryout(directory, operator, port=port, say=tell)
    with home:
        node = Node(home)
        if secrets:
            fill_tryout(node, operator, tell)
            tell("open this link in a browser on this machine; it makes your passkey:")
            tell(f"  {sign_in_link(home.config, secrets[PERSON])}")
            tell(
                "the second person, who approves requests, is called colleague; in another browser or a private window:"
            )
            tell(f"  {sign_in_link(home.config, secrets[COLLEAGUE])}")
            tell("no passkey on this machine? Chromium has a virtual one: developer tools, WebAuthn")
        else:
            tell(f"open {home.config.origin} in a browser on this machine")
        serve_app(create(node), Door.of(home.config), home.path)
