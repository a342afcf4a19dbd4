"""A node as a Python object: every call of its API, and what takes more than one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from shieldwall.client.calls import Calls
from shieldwall.client.failures import Unreachable
from shieldwall.client.shapes import Ceremony, JobShape, PasskeyShape, SignedIn
from shieldwall.errors import UsageError

Authenticator = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes the options of a ceremony (WebAuthn 3, 5.4 and 5.5, as JSON), and gives the credential as JSON."""

_OVER = ("done", "failed", "cancelled")
_TRIES = 3  # times that a stream may break without news


class NodeClient(Calls):
    """A node, asked over HTTP: `Calls` has a method for each call of its API. Give it a token, or sign in.

    Close it when done, or use it in a `with`. Threads need one each.

    Example:
        ::

            with NodeClient("https://node.example.org", token=text) as node:
                for claim in node.every_claim(kind="tag"):
                    print(claim.id, claim.handling.marking)
    """

    def __enter__(self) -> Self:
        """Nothing is asked until it is used."""
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Hang up."""
        self.close()

    def close(self) -> None:
        """Hang up. A session stays with the node until `sign_out`, or until it is over."""
        self._connection.close()

    def register(self, secret: str, authenticator: Authenticator, *, code: str = "", name: str = "") -> PasskeyShape:
        """Make a first passkey by a one-time link; then sign in with it.

        Args:
            secret: What stands behind the # in the link.
            authenticator: Makes a key.
            code: Of the authenticator application, where the link asks for it.
            name: What one calls the passkey.

        Raises:
            NotSignedIn: The link is none, or no longer.
        """
        begun = self.begin_registration(secret=secret, code=code)
        return self.finish_registration(challenge=begun.challenge, credential=authenticator(begun.options), name=name)

    def sign_in(self, authenticator: Authenticator) -> SignedIn:
        """Sign in with a passkey; the session is kept in memory alone.

        Args:
            authenticator: Signs by a key.

        Raises:
            NotSignedIn: It is none of this node's passkeys.
            UsageError: This client has a token, or the node gave no session.
        """
        if self._connection.has_token:
            raise UsageError("this client comes by a token", hint="make one without a token to sign in")
        begun = self.begin_sign_in()
        signed = self.finish_sign_in(challenge=begun.challenge, credential=authenticator(begun.options))
        if not self._connection.has_session:
            raise UsageError("the node gave no session", hint="ask it by the address in its settings")
        return signed

    def confirm(self, authenticator: Authenticator) -> SignedIn:
        """Show a passkey again, after `ConfirmFirst`; then repeat the call.

        Args:
            authenticator: Signs by a key.

        Raises:
            NotSignedIn: Nobody is signed in, or it is another person's passkey.
        """
        begun = self.begin_confirmation()
        return self.finish_confirmation(challenge=begun.challenge, credential=authenticator(begun.options))

    def add_passkey(self, authenticator: Authenticator, *, name: str = "") -> PasskeyShape:
        """Make a further passkey of one's own.

        Args:
            authenticator: Makes a key.
            name: What one calls the passkey.

        Raises:
            ConfirmFirst: A passkey must be shown again first.
        """
        begun: Ceremony = self.begin_passkey()
        return self.finish_passkey(challenge=begun.challenge, credential=authenticator(begun.options), name=name)

    def wait_for_job(self, job_id: str, told: Callable[[JobShape], object] = lambda _: None) -> JobShape:
        """Wait until a job has ended, however it did; where the stream of its events breaks, it is taken up again.

        Args:
            job_id: Of the job.
            told: Called each time that there is news of it.

        Raises:
            NotFound: There is no such job that one may see.
            Unreachable: The stream broke three times without news, or ended so.
        """
        seen: JobShape | None = None
        broken = 0
        while True:
            try:
                for job in self.follow_job(job_id):
                    if job != seen:
                        seen, broken = job, 0
                        told(job)
                    if job.state in _OVER:
                        return job
                broke = Unreachable("wait_for_job: the node ends the stream before the job", hint="ask again later")
            except Unreachable as error:
                broke = error
            broken += 1
            if broken == _TRIES:
                raise broke
            self._connection.rest(broken)
