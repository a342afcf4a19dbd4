"""A real browser at a real node: a virtual passkey, one person signed in, and all that a strict policy refuses written down."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

PATIENCE = 60.0  # seconds
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
_WATCHED = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (one) => window.refused.push(one.violatedDirective + " " + one.blockedURI));
window.alert = () => window.refused.push("alert");
"""


@dataclass
class Tryout:
    """A try-out node that is served, the passkey of its person, and the one-time link of the second person."""

    url: str
    link: str
    second: str = ""
    passkeys: list[dict[str, Any]] = field(default_factory=list)


@contextlib.contextmanager
def tryout(folder: Path, port: int) -> Iterator[Tryout]:
    """`shieldwall node try`, as `make serve` runs it, until this is left."""
    log = folder.with_suffix(".log")
    command = [sys.executable, "-m", "shieldwall", "node", "try", str(folder), "--port", str(port)]
    with log.open("wb") as told, subprocess.Popen(command, stdout=told, stderr=told) as server:
        try:
            end = time.monotonic() + PATIENCE
            link = None
            while time.monotonic() < end and server.poll() is None:
                text = log.read_text(encoding="utf-8")
                link = re.search(r"http://localhost:\d+/sign-in#\S+", text)
                if link and "running on" in text:
                    break
                time.sleep(0.05)
            assert link, log.read_text(encoding="utf-8")
            links = re.findall(r"http://localhost:\d+/sign-in#\S+", text)
            yield Tryout(f"http://localhost:{port}", links[0], links[1])
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=PATIENCE) == 0, log.read_text(encoding="utf-8")


class Person:
    """Somebody in a browser of their own.

    Args:
        browser: The program.
        node: Where they go.
        options: Of the browser's context, such as color_scheme.
    """

    def __init__(self, browser: Browser, node: Tryout, **options: Any) -> None:
        self.node = node
        self.context: BrowserContext = browser.new_context(
            base_url=node.url, **{"viewport": {"width": 1280, "height": 900}, **options}
        )
        self.context.add_init_script(_WATCHED)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self._devtools: CDPSession = self.context.new_cdp_session(self.page)
        self._devtools.send("WebAuthn.enable")
        self._authenticator = self._devtools.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        for passkey in node.passkeys:
            self._devtools.send("WebAuthn.addCredential", {**self._named, "credential": passkey})

    @property
    def _named(self) -> dict[str, str]:
        return {"authenticatorId": self._authenticator["authenticatorId"]}

    def register(self) -> None:
        """Make the passkey by the one-time link."""
        self.page.goto(self.node.link)
        self.page.wait_for_selector("body[data-ready=waiting]")
        self.page.click("#go")
        self.page.wait_for_selector("#name[hidden]", state="attached")
        self.page.wait_for_selector("#go:not([disabled])")
        self._keep()

    def sign_in(self) -> None:
        """Sign in with the passkey."""
        self.page.goto("/sign-in")
        self.page.wait_for_selector("body[data-ready=waiting]")
        self.page.click("#go")
        self.page.wait_for_url(f"{self.node.url}/")
        self._keep()  # its counter has gone on

    def _keep(self) -> None:
        self.node.passkeys[:] = self._devtools.send("WebAuthn.getCredentials", self._named)["credentials"]

    def clean(self) -> None:
        """Nothing was refused by the policy of the page, and no script failed."""
        assert self.page.evaluate("window.refused") == []
        assert self.said == [], "; ".join(self.said)

    def overflow(self) -> int:
        """Pixels that the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def close(self) -> None:
        self.context.close()
