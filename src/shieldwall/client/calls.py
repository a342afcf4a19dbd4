"""A method for every call of a node's API. Written by tools/make_client.py from its OpenAPI: do not edit."""

# ruff: noqa: A002 - the API's own words

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from shieldwall.client.connection import Connection, Limits
from shieldwall.client.pages import every, shaped
from shieldwall.client.question import segment
from shieldwall.client.shapes import (
    AddressShape,
    Alarms,
    AlarmShape,
    Approvals,
    ApprovalShape,
    Cases,
    CaseShape,
    Ceremony,
    ChainShape,
    Checked,
    Claims,
    ClaimShape,
    CollectionList,
    CollectionShape,
    Decisions,
    Document,
    Done,
    EvidenceList,
    EvidenceShape,
    Files,
    FileShape,
    Flags,
    Found,
    FoundObjects,
    Groups,
    GroupShape,
    HandlingAsked,
    HandlingShape,
    Health,
    Hits,
    IncidentShape,
    Invitation,
    Jobs,
    JobShape,
    Known,
    LeafShape,
    Leaves,
    Meetings,
    NetworkShape,
    OutputShape,
    Pap,
    PartnerList,
    Passkeys,
    PasskeyShape,
    People,
    PersonShape,
    Previews,
    RecoveryCode,
    ReferencesShape,
    ReleasedShape,
    RequestList,
    RequestRowShape,
    RequestShape,
    RoleWord,
    RootShape,
    SavedSheetShape,
    ScopeWord,
    SharedList,
    SheetShape,
    SheetStepShape,
    SignedIn,
    SourceList,
    Status,
    StixObjects,
    StixVersion,
    StixVersions,
    SubjectShape,
    TagSetImport,
    TagSetList,
    TakenShape,
    ThingAsked,
    TimelineEntryShape,
    TimelineShape,
    Tlp,
    Tokens,
    TokenShape,
    TraceShape,
    Travels,
    Watches,
    WatchShape,
    WithdrawnShape,
    Work,
)


class Calls:
    """Every call of a node's API, by its name there. What is None is not sent. All may raise `Unreachable` and
    `BadText` besides what each says.

    Args:
        url: Where the node is, as in https://node.example.org or http://localhost:8420.
        token: A machine token; "" for none.
        authority: File of certificates (PEM) to trust instead of this machine's.
        limits: How long to wait, and how much to take.
        connection: Instead of all these.

    Raises:
        UsageError: The address is none that a token may be sent to, or the token or file does not fit.
    """

    def __init__(
        self,
        url: str = "",
        *,
        token: str = "",
        authority: Path | str | None = None,
        limits: Limits | None = None,
        connection: Connection | None = None,
    ) -> None:
        self._connection = connection or Connection(url, token=token, authority=authority, limits=limits)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._connection!r}>"

    def begin_registration(self, *, secret: str, code: str = "") -> Ceremony:
        """Begin to make a passkey by a one-time link; where the link is one for recovery by code, with the code.

        Args:
            secret: At most 200 characters.

        Raises:
            NotSignedIn: What was shown is not accepted.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "begin_registration",
            "POST",
            "/api/v1/registration/begin",
            body={"secret": secret, "code": code},
            repeat=False,
        )
        return Ceremony.from_json(answer.json(), "begin_registration", etag=answer.etag)

    def finish_registration(self, *, challenge: str, credential: Mapping[str, Any], name: str = "") -> PasskeyShape:
        """Keep the passkey that the browser made; then sign in with it.

        Args:
            challenge: Of the ceremony that was begun.
            credential: As the authenticator gives it.
            name: At most 100 characters.

        Raises:
            NotSignedIn: What was shown is not accepted.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "finish_registration",
            "POST",
            "/api/v1/registration/finish",
            body={"challenge": challenge, "credential": credential, "name": name},
            repeat=False,
        )
        return PasskeyShape.from_json(answer.json(), "finish_registration", etag=answer.etag)

    def begin_sign_in(self) -> Ceremony:
        """Begin to sign in with a passkey.

        Raises:
            TooMany: Too often.
        """
        answer = self._connection.ask("begin_sign_in", "POST", "/api/v1/sign-in/begin", repeat=False)
        return Ceremony.from_json(answer.json(), "begin_sign_in", etag=answer.etag)

    def finish_sign_in(self, *, challenge: str, credential: Mapping[str, Any], name: str = "") -> SignedIn:
        """Sign in; the answer sets the session's cookie.

        Args:
            challenge: Of the ceremony that was begun.
            credential: As the authenticator gives it.
            name: At most 100 characters.

        Raises:
            NotSignedIn: What was shown is not accepted.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "finish_sign_in",
            "POST",
            "/api/v1/sign-in/finish",
            body={"challenge": challenge, "credential": credential, "name": name},
            repeat=False,
        )
        return SignedIn.from_json(answer.json(), "finish_sign_in", etag=answer.etag)

    def show_session(self) -> SignedIn:
        """Who is signed in.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_session", "GET", "/api/v1/session")
        return SignedIn.from_json(answer.json(), "show_session", etag=answer.etag)

    def sign_out(self) -> Done:
        """Sign out.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            TooMany: Too often.
        """
        answer = self._connection.ask("sign_out", "DELETE", "/api/v1/session")
        return Done.from_json(answer.json(), "sign_out", etag=answer.etag)

    def begin_confirmation(self) -> Ceremony:
        """Begin to show a passkey again, for approval, export, key and role changes.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            TooMany: Too often.
        """
        answer = self._connection.ask("begin_confirmation", "POST", "/api/v1/session/confirm/begin")
        return Ceremony.from_json(answer.json(), "begin_confirmation", etag=answer.etag)

    def finish_confirmation(self, *, challenge: str, credential: Mapping[str, Any], name: str = "") -> SignedIn:
        """Confirm; the session goes on under a new cookie.

        Args:
            challenge: Of the ceremony that was begun.
            credential: As the authenticator gives it.
            name: At most 100 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "finish_confirmation",
            "POST",
            "/api/v1/session/confirm/finish",
            body={"challenge": challenge, "credential": credential, "name": name},
        )
        return SignedIn.from_json(answer.json(), "finish_confirmation", etag=answer.etag)

    def sign_out_everywhere(self) -> Done:
        """Sign out everywhere, here as well.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            TooMany: Too often.
        """
        answer = self._connection.ask("sign_out_everywhere", "DELETE", "/api/v1/sessions")
        return Done.from_json(answer.json(), "sign_out_everywhere", etag=answer.etag)

    def list_passkeys(self) -> Passkeys:
        """One's own passkeys.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_passkeys", "GET", "/api/v1/passkeys")
        return Passkeys.from_json(answer.json(), "list_passkeys", etag=answer.etag)

    def begin_passkey(self) -> Ceremony:
        """Begin to make a further passkey.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            TooMany: Too often.
        """
        answer = self._connection.ask("begin_passkey", "POST", "/api/v1/passkeys/begin")
        return Ceremony.from_json(answer.json(), "begin_passkey", etag=answer.etag)

    def finish_passkey(self, *, challenge: str, credential: Mapping[str, Any], name: str = "") -> PasskeyShape:
        """Keep a further passkey.

        Args:
            challenge: Of the ceremony that was begun.
            credential: As the authenticator gives it.
            name: At most 100 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "finish_passkey",
            "POST",
            "/api/v1/passkeys/finish",
            body={"challenge": challenge, "credential": credential, "name": name},
        )
        return PasskeyShape.from_json(answer.json(), "finish_passkey", etag=answer.etag)

    def remove_passkey(self, passkey_id: str) -> Done:
        """Remove one of one's own passkeys, never the last; one's other sessions end.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "remove_passkey", "DELETE", f"/api/v1/passkeys/{segment(passkey_id, 'remove_passkey')}"
        )
        return Done.from_json(answer.json(), "remove_passkey", etag=answer.etag)

    def begin_recovery_code(self) -> RecoveryCode:
        """Begin to set up recovery by an authenticator application: its secret, shown once.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            TooMany: Too often.
        """
        answer = self._connection.ask("begin_recovery_code", "POST", "/api/v1/recovery-code/begin")
        return RecoveryCode.from_json(answer.json(), "begin_recovery_code", etag=answer.etag)

    def finish_recovery_code(self, *, enrolment: str, code: str) -> Done:
        """Finish by a first code of the application.

        Args:
            enrolment: An id.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "finish_recovery_code", "POST", "/api/v1/recovery-code/finish", body={"enrolment": enrolment, "code": code}
        )
        return Done.from_json(answer.json(), "finish_recovery_code", etag=answer.etag)

    def remove_recovery_code(self) -> Done:
        """Give up recovery by code.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            TooMany: Too often.
        """
        answer = self._connection.ask("remove_recovery_code", "DELETE", "/api/v1/recovery-code")
        return Done.from_json(answer.json(), "remove_recovery_code", etag=answer.etag)

    def list_tokens(self, *, everybody: bool = False) -> Tokens:
        """One's own machine tokens; those that are over among them.

        Args:
            everybody: Those of everybody; for administrators.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_tokens", "GET", "/api/v1/tokens", query={"everybody": everybody})
        return Tokens.from_json(answer.json(), "list_tokens", etag=answer.etag)

    def issue_token(
        self, *, name: str, scopes: Sequence[ScopeWord], highest: Tlp = "TLP:GREEN", days: int = 90
    ) -> TokenShape:
        """Issue a machine token, which acts for whoever asks and never for more; its text is shown this once.

        Args:
            name: At most 100 characters.
            days: 1 to 366.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "issue_token",
            "POST",
            "/api/v1/tokens",
            body={"name": name, "scopes": scopes, "highest": highest, "days": days},
        )
        return TokenShape.from_json(answer.json(), "issue_token", etag=answer.etag)

    def revoke_token(self, token_id: str) -> Done:
        """End a machine token for good: one's own; anybody's for administrators.

        Args:
            token_id: Id of the token.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("revoke_token", "DELETE", f"/api/v1/tokens/{segment(token_id, 'revoke_token')}")
        return Done.from_json(answer.json(), "revoke_token", etag=answer.etag)

    def list_people(self, *, cursor: str = "", most: int = 50) -> People:
        """The people of this node, for administrators and auditors.

        Args:
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage or audit, and a person.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_people", "GET", "/api/v1/people", query={"cursor": cursor or None, "most": most}
        )
        return People.from_json(answer.json(), "list_people", etag=answer.etag)

    def every_person(self, *, most: int = 200) -> Iterator[PersonShape]:
        """Every entry of `list_people`, page by page as they are asked for.

        The people of this node, for administrators and auditors.

        Args:
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage or audit, and a person.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> People:
            return self.list_people(cursor=cursor, most=most)

        for found in every(page, "every_person"):
            yield from found.people

    def add_person(
        self,
        *,
        name: str,
        roles: Sequence[RoleWord],
        organisation: str = "",
        highest: Tlp = "TLP:GREEN",
        mail: str = "",
    ) -> PersonShape:
        """A new person; invite them next.

        Args:
            name: At most 100 characters.
            organisation: At most 200 characters.
            mail: At most 254 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_person",
            "POST",
            "/api/v1/people",
            body={"name": name, "roles": roles, "organisation": organisation, "highest": highest, "mail": mail},
        )
        return PersonShape.from_json(answer.json(), "add_person", etag=answer.etag)

    def show_person(self, person_id: str) -> PersonShape:
        """A person: oneself, or anyone for administrators and auditors.

        Args:
            person_id: Id of the person.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_person", "GET", f"/api/v1/people/{segment(person_id, 'show_person')}")
        return PersonShape.from_json(answer.json(), "show_person", etag=answer.etag)

    def change_person(
        self,
        person_id: str,
        *,
        etag: str,
        organisation: str | None = None,
        roles: Sequence[RoleWord] | None = None,
        highest: Tlp | None = None,
        mail: str | None = None,
    ) -> PersonShape:
        """Change roles, clearance and the rest; it holds from their next request on.

        Args:
            person_id: Id of the person.
            etag: `.etag` of what was read: the version that is changed.
            organisation: At most 200 characters.
            mail: At most 254 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            Conflict: It was changed in the meantime: read it again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "change_person",
            "PATCH",
            f"/api/v1/people/{segment(person_id, 'change_person')}",
            body={"organisation": organisation, "roles": roles, "highest": highest, "mail": mail},
            etag=etag,
        )
        return PersonShape.from_json(answer.json(), "change_person", etag=answer.etag)

    def disable_person(self, person_id: str) -> PersonShape:
        """Shut a person out: their sessions end, their tokens and links are void. What they did stays.

        Args:
            person_id: Id of the person.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "disable_person", "DELETE", f"/api/v1/people/{segment(person_id, 'disable_person')}"
        )
        return PersonShape.from_json(answer.json(), "disable_person", etag=answer.etag)

    def enable_person(self, person_id: str) -> PersonShape:
        """Let a person in again, with the passkeys that they had.

        Args:
            person_id: Id of the person.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "enable_person", "POST", f"/api/v1/people/{segment(person_id, 'enable_person')}/return"
        )
        return PersonShape.from_json(answer.json(), "enable_person", etag=answer.etag)

    def invite_person(self, person_id: str, *, with_code: bool = False) -> Invitation:
        """A one-time link by which a person makes their first passkey; or, with their recovery code, a new one.

        Args:
            person_id: Id of the person.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "invite_person",
            "POST",
            f"/api/v1/people/{segment(person_id, 'invite_person')}/invitation",
            body={"with_code": with_code},
        )
        return Invitation.from_json(answer.json(), "invite_person", etag=answer.etag)

    def link_person(self, person_id: str, *, issuer: str, subject: str) -> Done:
        """Let whom the OpenID provider calls `subject` come in as this person.

        Args:
            person_id: Id of the person.
            issuer: At most 500 characters.
            subject: At most 255 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "link_person",
            "POST",
            f"/api/v1/people/{segment(person_id, 'link_person')}/links",
            body={"issuer": issuer, "subject": subject},
        )
        return Done.from_json(answer.json(), "link_person", etag=answer.etag)

    def list_groups(self) -> Groups:
        """The need-to-know groups: one's own; all for administrators and auditors.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That is for people.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_groups", "GET", "/api/v1/groups")
        return Groups.from_json(answer.json(), "list_groups", etag=answer.etag)

    def add_group(self, *, name: str) -> GroupShape:
        """A new group, without members.

        Args:
            name: At most 100 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("add_group", "POST", "/api/v1/groups", body={"name": name})
        return GroupShape.from_json(answer.json(), "add_group", etag=answer.etag)

    def set_group_members(self, group_id: str, *, people: Sequence[str]) -> GroupShape:
        """Say who the members are: all of them.

        Args:
            group_id: Id of the group.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "set_group_members",
            "PUT",
            f"/api/v1/groups/{segment(group_id, 'set_group_members')}/people",
            body={"people": people},
        )
        return GroupShape.from_json(answer.json(), "set_group_members", etag=answer.etag)

    def chain_info(self, *, network: str = "") -> ChainShape:
        """What a chain store holds, and up to which block: the first one, or that of a network.

        Args:
            network: Of the chain store, by its name.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("chain_info", "GET", "/api/v1/chain", query={"network": network or None})
        return ChainShape.from_json(answer.json(), "chain_info", etag=answer.etag)

    def show_address(self, address: str, *, most: int = 100, cursor: str = "", network: str = "") -> AddressShape:
        """What was paid to an address, where it stands, and what is known of it. No tag means unknown, not clean.

        Without a network it is looked up in the chain store that holds it, else in the first of whose network it is
        an address.

        Args:
            address: An address, or a script as KIND:HEX.
            most: At most so many outputs.
            cursor: Where to go on: `next` of the page before.
            network: Of the chain store, by its name.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_address",
            "GET",
            f"/api/v1/addresses/{segment(address, 'show_address')}",
            query={"most": most, "cursor": cursor or None, "network": network or None},
        )
        return AddressShape.from_json(answer.json(), "show_address", etag=answer.etag)

    def every_output(self, address: str, *, network: str = "", most: int = 1000) -> Iterator[OutputShape]:
        """Every entry of `show_address`, page by page as they are asked for.

        What was paid to an address, where it stands, and what is known of it. No tag means unknown, not clean.

        Without a network it is looked up in the chain store that holds it, else in the first of whose network it is
        an address.

        Args:
            address: An address, or a script as KIND:HEX.
            network: Of the chain store, by its name.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> AddressShape:
            return self.show_address(address, network=network, cursor=cursor, most=most)

        for found in every(page, "every_output"):
            yield from found.outputs

    def show_transaction(self, txid: str, *, network: str = "") -> Found:
        """A transaction, with its raw bytes and what is proven of it; without a network, in the chain store that holds
        it.

        Args:
            txid: The transaction's id.
            network: Of the chain store, by its name.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_transaction",
            "GET",
            f"/api/v1/transactions/{segment(txid, 'show_transaction')}",
            query={"network": network or None},
        )
        return Found.from_json(answer.json(), "show_transaction", etag=answer.etag)

    def show_block(self, height: int, *, network: str = "") -> Found:
        """The block at a height, in the first chain store or in that of a network.

        Args:
            height: Of the block.
            network: Of the chain store, by its name.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_block", "GET", f"/api/v1/blocks/{segment(height, 'show_block')}", query={"network": network or None}
        )
        return Found.from_json(answer.json(), "show_block", etag=answer.etag)

    def list_tag_sets(self) -> TagSetList:
        """The tag sets that one may see, with their current versions.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_tag_sets", "GET", "/api/v1/tag-sets")
        return TagSetList.from_json(answer.json(), "list_tag_sets", etag=answer.etag)

    def import_tags(
        self,
        *,
        file: str,
        content: bytes,
        set: str = "",
        marking: Tlp | None = None,
        pap: Pap = "PAP:RED",
        label: str = "",
        category: str = "",
        abuse: str = "",
        actor: str = "",
        currency: str = "",
        source: str = "",
        confidence: str = "",
        network: str = "main",
        case: str | None = None,
        group: str | None = None,
    ) -> TagSetImport:
        """Take in a TagPack, ActorPack, address list or CSV, or a zip of them: the body is the file.

        The same content is the same version; older versions are kept. What names no address is counted and listed.

        Args:
            file: Name of the file; its ending says what it is.
            content: The bytes.
            set: Name of the set; else the file's name.
            marking: Marking of the tags; else the file's own, else the strictest.
            pap: What may be done with it.
            label: At most 200 characters.
            category: At most 100 characters.
            abuse: At most 100 characters.
            actor: At most 100 characters.
            currency: At most 20 characters.
            source: At most 500 characters.
            confidence: At most 40 characters.
            network: At most 20 characters.
            case: Id of a case that one is a member of.
            group: Id of a need-to-know group that one is a member of.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "import_tags",
            "POST",
            "/api/v1/tag-sets",
            query={
                "file": file,
                "set": set or None,
                "marking": marking,
                "pap": pap,
                "label": label or None,
                "category": category or None,
                "abuse": abuse or None,
                "actor": actor or None,
                "currency": currency or None,
                "source": source or None,
                "confidence": confidence or None,
                "network": network,
                "case": case,
                "group": group,
            },
            content=content,
        )
        return TagSetImport.from_json(answer.json(), "import_tags", etag=answer.etag)

    def show_subject(self, *, name: str, currency: str = "BTC", network: str = "main") -> Known:
        """What is said of an address of any chain, whether or not it is in the chain store. No tag means unknown, not
        clean.

        Args:
            name: An address.
            currency: The currency's word.
            network: At most 20 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_subject", "GET", "/api/v1/subjects", query={"name": name, "currency": currency, "network": network}
        )
        return Known.from_json(answer.json(), "show_subject", etag=answer.etag)

    def find_claims(
        self,
        *,
        type: str = "",
        chain: str = "",
        name: str = "",
        kind: str = "",
        case: str | None = None,
        cursor: str = "",
        most: int = 50,
    ) -> Claims:
        """All that is said of a subject, with what stands and what contradicts; or every claim, in the order of
        arrival.

        Args:
            type: With `name`: the type of a subject.
            chain: CAIP-2 id of the subject's chain, or the source's word.
            name: The subject's name.
            kind: Without a subject: claims of this kind only.
            case: Claims of this case only.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "find_claims",
            "GET",
            "/api/v1/claims",
            query={
                "type": type or None,
                "chain": chain or None,
                "name": name or None,
                "kind": kind or None,
                "case": case,
                "cursor": cursor or None,
                "most": most,
            },
        )
        return Claims.from_json(answer.json(), "find_claims", etag=answer.etag)

    def every_claim(
        self,
        *,
        type: str = "",
        chain: str = "",
        name: str = "",
        kind: str = "",
        case: str | None = None,
        most: int = 200,
    ) -> Iterator[ClaimShape]:
        """Every entry of `find_claims`, page by page as they are asked for.

        All that is said of a subject, with what stands and what contradicts; or every claim, in the order of
        arrival.

        Args:
            type: With `name`: the type of a subject.
            chain: CAIP-2 id of the subject's chain, or the source's word.
            name: The subject's name.
            kind: Without a subject: claims of this kind only.
            case: Claims of this case only.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Claims:
            return self.find_claims(type=type, chain=chain, name=name, kind=kind, case=case, cursor=cursor, most=most)

        for found in every(page, "every_claim"):
            yield from found.claims

    def add_claim(
        self,
        *,
        subject: SubjectShape,
        kind: str,
        statement: Mapping[str, Any],
        layer: Literal["observation", "inference", "attribution"],
        source: str = "",
        at: str = "",
        confidence: int | None = None,
        marking: Tlp = "TLP:RED",
        pap: Pap = "PAP:RED",
        evidence: Sequence[str] = (),
        expires: str = "",
        case: str | None = None,
        group: str | None = None,
    ) -> ClaimShape:
        """Say something: the claim is made by whoever asks. The same claim again is the same claim.

        Args:
            kind: At most 40 characters.
            source: At most 2000 characters.
            at: At most 40 characters.
            confidence: 0 to 100.
            marking: Who may see it.
            pap: What may be done with it.
            expires: At most 40 characters.
            case: Id of a case; None for none.
            group: Id of a need-to-know group; None for none.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_claim",
            "POST",
            "/api/v1/claims",
            body={
                "subject": subject,
                "kind": kind,
                "statement": statement,
                "layer": layer,
                "source": source,
                "at": at,
                "confidence": confidence,
                "marking": marking,
                "pap": pap,
                "evidence": evidence,
                "expires": expires,
                "case": case,
                "group": group,
            },
        )
        return ClaimShape.from_json(answer.json(), "add_claim", etag=answer.etag)

    def show_claim(self, claim_id: str) -> ClaimShape:
        """One claim.

        Args:
            claim_id: Id of the claim.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_claim", "GET", f"/api/v1/claims/{segment(claim_id, 'show_claim')}")
        return ClaimShape.from_json(answer.json(), "show_claim", etag=answer.etag)

    def retract_claim(self, claim_id: str, *, reason: str) -> ClaimShape:
        """Take a claim back; it stays, with the reason, and on each way that it travelled somebody is to be told
        (`/travels`).

        Args:
            claim_id: Id of the claim.
            reason: At most 2000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "retract_claim",
            "POST",
            f"/api/v1/claims/{segment(claim_id, 'retract_claim')}/retraction",
            body={"reason": reason},
        )
        return ClaimShape.from_json(answer.json(), "retract_claim", etag=answer.etag)

    def list_cases(
        self, *, status: Literal["", "open", "closed"] = "", q: str = "", cursor: str = "", most: int = 50
    ) -> Cases:
        """The cases that one is a member of, the newest first; or those in which all words are found.

        Args:
            status: Only these.
            q: Words of title, number, group, victim; then no pages.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_cases",
            "GET",
            "/api/v1/cases",
            query={"status": status or None, "q": q or None, "cursor": cursor or None, "most": most},
        )
        return Cases.from_json(answer.json(), "list_cases", etag=answer.etag)

    def every_case(
        self, *, status: Literal["", "open", "closed"] = "", q: str = "", most: int = 200
    ) -> Iterator[CaseShape]:
        """Every entry of `list_cases`, page by page as they are asked for.

        The cases that one is a member of, the newest first; or those in which all words are found.

        Args:
            status: Only these.
            q: Words of title, number, group, victim; then no pages.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Cases:
            return self.list_cases(status=status, q=q, cursor=cursor, most=most)

        for found in every(page, "every_case"):
            yield from found.cases

    def add_case(
        self,
        *,
        title: str,
        number: str = "",
        marking: Tlp = "TLP:RED",
        pap: Pap = "PAP:RED",
        silent: bool = False,
        people: Sequence[str] = (),
        groups: Sequence[str] = (),
    ) -> CaseShape:
        """Open a case; whoever asks becomes a member and its contact.

        Args:
            title: At most 200 characters.
            number: At most 80 characters.
            marking: Who may see it.
            pap: What may be done with it.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_case",
            "POST",
            "/api/v1/cases",
            body={
                "title": title,
                "number": number,
                "marking": marking,
                "pap": pap,
                "silent": silent,
                "people": people,
                "groups": groups,
            },
        )
        return CaseShape.from_json(answer.json(), "add_case", etag=answer.etag)

    def show_case(self, case_id: str) -> CaseShape:
        """A case.

        Args:
            case_id: Id of the case.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_case", "GET", f"/api/v1/cases/{segment(case_id, 'show_case')}")
        return CaseShape.from_json(answer.json(), "show_case", etag=answer.etag)

    def change_case(
        self,
        case_id: str,
        *,
        etag: str,
        title: str | None = None,
        number: str | None = None,
        status: Literal["open", "closed"] | None = None,
        silent: bool | None = None,
        contact: str | None = None,
        marking: Tlp | None = None,
        pap: Pap | None = None,
    ) -> CaseShape:
        """Change a case. A more open marking needs an approval.

        Args:
            case_id: Id of the case.
            etag: `.etag` of what was read: the version that is changed.
            title: At most 200 characters.
            number: At most 80 characters.
            contact: An id.
            marking: Who may see it.
            pap: What may be done with it.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            Conflict: It was changed in the meantime: read it again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "change_case",
            "PATCH",
            f"/api/v1/cases/{segment(case_id, 'change_case')}",
            body={
                "title": title,
                "number": number,
                "status": status,
                "silent": silent,
                "contact": contact,
                "marking": marking,
                "pap": pap,
            },
            etag=etag,
        )
        return CaseShape.from_json(answer.json(), "change_case", etag=answer.etag)

    def set_case_members(
        self, case_id: str, *, people: Sequence[str], etag: str, groups: Sequence[str] = ()
    ) -> CaseShape:
        """Say who the members are: all of them, by name and by group.

        Args:
            case_id: Id of the case.
            etag: `.etag` of what was read: the version that is changed.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            Conflict: It was changed in the meantime: read it again.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "set_case_members",
            "PUT",
            f"/api/v1/cases/{segment(case_id, 'set_case_members')}/members",
            body={"people": people, "groups": groups},
            etag=etag,
        )
        return CaseShape.from_json(answer.json(), "set_case_members", etag=answer.etag)

    def list_meetings(self) -> Meetings:
        """Where another team of this node works on something that is in a case of one's own: whom to call, and no
        more.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_meetings", "GET", "/api/v1/meetings")
        return Meetings.from_json(answer.json(), "list_meetings", etag=answer.etag)

    def add_intake(
        self,
        *,
        title: str,
        number: str = "",
        marking: Tlp = "TLP:RED",
        pap: Pap = "PAP:RED",
        people: Sequence[str] = (),
        answers: Mapping[str, str] | None = None,
        first_hour: Sequence[int] = (),
    ) -> CaseShape:
        """Open a case of what a victim or operator told.

        Args:
            title: At most 200 characters.
            number: At most 80 characters.
            marking: Who may see it.
            pap: What may be done with it.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_intake",
            "POST",
            "/api/v1/intakes",
            body={
                "title": title,
                "number": number,
                "marking": marking,
                "pap": pap,
                "people": people,
                "answers": answers,
                "first_hour": first_hour,
            },
        )
        return CaseShape.from_json(answer.json(), "add_intake", etag=answer.etag)

    def show_intake_form(self) -> bytes:
        """The form as one page that works without a network; nothing of this node is in it.

        Raises:
            TooMany: Too often.
        """
        return self._connection.ask("show_intake_form", "GET", "/api/v1/intakes/form", takes="text/html").body

    def show_incident(self, case_id: str) -> IncidentShape:
        """What is told of the incident of a case, and which reports may be due.

        Args:
            case_id: Id of the case.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_incident", "GET", f"/api/v1/cases/{segment(case_id, 'show_incident')}/incident"
        )
        return IncidentShape.from_json(answer.json(), "show_incident", etag=answer.etag)

    def change_case_incident(
        self, case_id: str, *, answers: Mapping[str, str], first_hour: Sequence[int] = ()
    ) -> IncidentShape:
        """Tell the incident anew; what was told before stays readable as retracted claims.

        Args:
            case_id: Id of the case.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "change_case_incident",
            "PUT",
            f"/api/v1/cases/{segment(case_id, 'change_case_incident')}/incident",
            body={"answers": answers, "first_hour": first_hour},
        )
        return IncidentShape.from_json(answer.json(), "change_case_incident", etag=answer.etag)

    def show_timeline(
        self,
        case_id: str,
        *,
        kind: Sequence[str] | None = None,
        as_of: str = "",
        height: int | None = None,
        network: str = "",
        cursor: str = "",
        most: int = 50,
    ) -> TimelineShape:
        """What happened in a case, the latest first; now, as it was known at a moment, or as the world stood at a
        block.

        Args:
            case_id: Id of the case.
            kind: Entries of these kinds only.
            as_of: As it was known then (ISO 8601, UTC).
            height: As the world stood at that block.
            network: Of the height; the first chain by default.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_timeline",
            "GET",
            f"/api/v1/cases/{segment(case_id, 'show_timeline')}/timeline",
            query={
                "kind": kind,
                "as_of": as_of or None,
                "height": height,
                "network": network or None,
                "cursor": cursor or None,
                "most": most,
            },
        )
        return TimelineShape.from_json(answer.json(), "show_timeline", etag=answer.etag)

    def every_timeline_entry(
        self,
        case_id: str,
        *,
        kind: Sequence[str] | None = None,
        as_of: str = "",
        height: int | None = None,
        network: str = "",
        most: int = 200,
    ) -> Iterator[TimelineEntryShape]:
        """Every entry of `show_timeline`, page by page as they are asked for.

        What happened in a case, the latest first; now, as it was known at a moment, or as the world stood at a
        block.

        Args:
            case_id: Id of the case.
            kind: Entries of these kinds only.
            as_of: As it was known then (ISO 8601, UTC).
            height: As the world stood at that block.
            network: Of the height; the first chain by default.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> TimelineShape:
            return self.show_timeline(
                case_id, kind=kind, as_of=as_of, height=height, network=network, cursor=cursor, most=most
            )

        for found in every(page, "every_timeline_entry"):
            yield from found.entries

    def add_finding(
        self,
        case_id: str,
        *,
        layer: Literal["observation", "inference", "attribution"],
        text: str,
        basis: str = "",
        likelihood: str = "",
        confidence: str = "",
        alternatives: Sequence[str] = (),
        supports: Sequence[str] = (),
    ) -> ClaimShape:
        """Say what was found, on one of the three layers.

        Args:
            case_id: Id of the case.
            text: At most 4000 characters.
            basis: At most 4000 characters.
            likelihood: At most 300 characters.
            confidence: At most 300 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_finding",
            "POST",
            f"/api/v1/cases/{segment(case_id, 'add_finding')}/findings",
            body={
                "layer": layer,
                "text": text,
                "basis": basis,
                "likelihood": likelihood,
                "confidence": confidence,
                "alternatives": alternatives,
                "supports": supports,
            },
        )
        return ClaimShape.from_json(answer.json(), "add_finding", etag=answer.etag)

    def add_event(self, case_id: str, *, text: str, when: str, where: str = "") -> ClaimShape:
        """Say what happened when.

        Args:
            case_id: Id of the case.
            text: At most 2000 characters.
            when: At most 40 characters.
            where: At most 2000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_event",
            "POST",
            f"/api/v1/cases/{segment(case_id, 'add_event')}/events",
            body={"text": text, "when": when, "where": where},
        )
        return ClaimShape.from_json(answer.json(), "add_event", etag=answer.etag)

    def add_relation(
        self,
        case_id: str,
        *,
        source: ThingAsked,
        relation: str,
        target: ThingAsked,
        layer: Literal["observation", "inference", "attribution"] = "inference",
        basis: str = "",
    ) -> ClaimShape:
        """Say that two things belong together.

        Args:
            case_id: Id of the case.
            relation: At most 40 characters.
            basis: At most 2000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_relation",
            "POST",
            f"/api/v1/cases/{segment(case_id, 'add_relation')}/relations",
            body={"source": source, "relation": relation, "target": target, "layer": layer, "basis": basis},
        )
        return ClaimShape.from_json(answer.json(), "add_relation", etag=answer.etag)

    def put_case_trace(self, case_id: str, *, file: str) -> Done:
        """Put a trace of one's own into a case; its transfers enter the timeline.

        Args:
            case_id: Id of the case.
            file: An id.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "put_case_trace", "POST", f"/api/v1/cases/{segment(case_id, 'put_case_trace')}/traces", body={"file": file}
        )
        return Done.from_json(answer.json(), "put_case_trace", etag=answer.etag)

    def list_evidence(self, case_id: str) -> EvidenceList:
        """The evidence of a case, with its custody logs, each of which is held to its digests.

        Args:
            case_id: Id of the case.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_evidence", "GET", f"/api/v1/cases/{segment(case_id, 'list_evidence')}/evidence"
        )
        return EvidenceList.from_json(answer.json(), "list_evidence", etag=answer.etag)

    def add_evidence(
        self,
        case_id: str,
        *,
        name: str,
        method: str,
        source: str,
        content: bytes,
        acquired: str = "",
        working: bool = False,
        copy_of: str = "",
        why: str = "evidence of the case",
        media_type: str = "application/octet-stream",
    ) -> EvidenceShape:
        """Take a file into evidence: its bytes are the body. Its custody log begins.

        Args:
            case_id: Id of the case.
            name: At most 500 characters.
            method: How it was acquired.
            source: Where it is from.
            content: The bytes.
            acquired: When (ISO 8601, UTC); now by default.
            working: A working copy, no original.
            copy_of: Of a working copy, the original.
            why: At most 1000 characters.
            media_type: At most 100 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_evidence",
            "POST",
            f"/api/v1/cases/{segment(case_id, 'add_evidence')}/evidence",
            query={
                "name": name,
                "method": method,
                "source": source,
                "acquired": acquired or None,
                "working": working,
                "copy_of": copy_of or None,
                "why": why,
                "media_type": media_type,
            },
            content=content,
        )
        return EvidenceShape.from_json(answer.json(), "add_evidence", etag=answer.etag)

    def adopt_evidence(
        self,
        case_id: str,
        *,
        file: str,
        method: str,
        source: str,
        acquired: str = "",
        copy_of: str | None = None,
        working: bool = False,
        why: str = "evidence of the case",
    ) -> EvidenceShape:
        """Take a file that is in the case into evidence.

        Args:
            case_id: Id of the case.
            file: An id.
            method: At most 1000 characters.
            source: At most 1000 characters.
            acquired: At most 40 characters.
            copy_of: An id.
            why: At most 1000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "adopt_evidence",
            "POST",
            f"/api/v1/cases/{segment(case_id, 'adopt_evidence')}/evidence/adopted",
            body={
                "file": file,
                "method": method,
                "source": source,
                "acquired": acquired,
                "copy_of": copy_of,
                "working": working,
                "why": why,
            },
        )
        return EvidenceShape.from_json(answer.json(), "adopt_evidence", etag=answer.etag)

    def show_evidence(self, evidence_id: str) -> EvidenceShape:
        """A piece of evidence and its custody log.

        Args:
            evidence_id: Id of the piece of evidence.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_evidence", "GET", f"/api/v1/evidence/{segment(evidence_id, 'show_evidence')}"
        )
        return EvidenceShape.from_json(answer.json(), "show_evidence", etag=answer.etag)

    def add_custody(self, evidence_id: str, *, deed: str, why: str) -> EvidenceShape:
        """Say what was done with a piece of evidence; its content is held to its digest first.

        Args:
            evidence_id: Id of the piece of evidence.
            deed: At most 40 characters.
            why: At most 1000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_custody",
            "POST",
            f"/api/v1/evidence/{segment(evidence_id, 'add_custody')}/custody",
            body={"deed": deed, "why": why},
        )
        return EvidenceShape.from_json(answer.json(), "add_custody", etag=answer.etag)

    def show_network(self, case_id: str, *, beside: Sequence[str] | None = None) -> NetworkShape:
        """Group, people, malware, infrastructure, wallets and victims of one or several cases.

        Args:
            case_id: Id of the case.
            beside: Further cases in the same picture.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_network", "GET", f"/api/v1/cases/{segment(case_id, 'show_network')}/network", query={"beside": beside}
        )
        return NetworkShape.from_json(answer.json(), "show_network", etag=answer.etag)

    def show_red_flags(self, case_id: str) -> Flags:
        """The six families of red flags of FATF, as far as the traces of the case can answer them.

        Args:
            case_id: Id of the case.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_red_flags", "GET", f"/api/v1/cases/{segment(case_id, 'show_red_flags')}/red-flags"
        )
        return Flags.from_json(answer.json(), "show_red_flags", etag=answer.etag)

    def show_shared(self, case_id: str) -> SharedList:
        """What a case has in common with other cases of whoever asks: addresses, transactions, clusters, groups.

        Args:
            case_id: Id of the case.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_shared", "GET", f"/api/v1/cases/{segment(case_id, 'show_shared')}/shared")
        return SharedList.from_json(answer.json(), "show_shared", etag=answer.etag)

    def pack(
        self,
        case_id: str,
        *,
        to: str = "",
        as_of: str = "",
        why: str = "",
        leave_claims: Sequence[str] = (),
        leave_evidence: Sequence[str] = (),
        leave_requests: Sequence[str] = (),
        leave_title: bool = False,
        leave_kinds: Sequence[str] = (),
        replaces: str = "",
    ) -> FileShape:
        """Make an evidence package of what one may see of a case; it is a file of the case, to be taken out by
        `/files`.

        Args:
            case_id: Id of the case.
            to: At most 300 characters.
            as_of: At most 40 characters.
            why: At most 2000 characters.
            replaces: At most 36 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "pack",
            "POST",
            f"/api/v1/cases/{segment(case_id, 'pack')}/packs",
            body={
                "to": to,
                "as_of": as_of,
                "why": why,
                "leave_claims": leave_claims,
                "leave_evidence": leave_evidence,
                "leave_requests": leave_requests,
                "leave_title": leave_title,
                "leave_kinds": leave_kinds,
                "replaces": replaces,
            },
        )
        return FileShape.from_json(answer.json(), "pack", etag=answer.etag)

    def list_travels(self, *, what: str = "") -> Travels:
        """Where a claim or request went; or, without one, the ways at whose end nobody was told of a retraction.

        Args:
            what: Id of a claim or request; without it, what is to be told.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_travels", "GET", "/api/v1/travels", query={"what": what or None})
        return Travels.from_json(answer.json(), "list_travels", etag=answer.etag)

    def tell_travel(self, travel_id: str) -> Done:
        """Say that whoever stands at the end of a way was told that what they have was taken back.

        Args:
            travel_id: An id.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "tell_travel", "POST", f"/api/v1/travels/{segment(travel_id, 'tell_travel')}/told"
        )
        return Done.from_json(answer.json(), "tell_travel", etag=answer.etag)

    def show_references(self) -> ReferencesShape:
        """Recipients, legal profiles and reporting clocks, dated and sourced; no legal advice.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_references", "GET", "/api/v1/references")
        return ReferencesShape.from_json(answer.json(), "show_references", etag=answer.etag)

    def list_requests(
        self, *, state: str = "", case: str | None = None, cursor: str = "", most: int = 50
    ) -> RequestList:
        """Requests, the newest first.

        Args:
            state: Only these.
            case: Id of a case that one is a member of.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_requests",
            "GET",
            "/api/v1/requests",
            query={"state": state or None, "case": case, "cursor": cursor or None, "most": most},
        )
        return RequestList.from_json(answer.json(), "list_requests", etag=answer.etag)

    def every_request_row(
        self, *, state: str = "", case: str | None = None, most: int = 200
    ) -> Iterator[RequestRowShape]:
        """Every entry of `list_requests`, page by page as they are asked for.

        Requests, the newest first.

        Args:
            state: Only these.
            case: Id of a case that one is a member of.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> RequestList:
            return self.list_requests(state=state, case=case, cursor=cursor, most=most)

        for found in every(page, "every_request_row"):
            yield from found.requests

    def draft_request(
        self,
        case_id: str,
        *,
        kind: Literal["preserve", "freeze", "disclose", "inform", "take-down"] = "freeze",
        trace: str | None = None,
        rank: int = 1,
        recipient: str = "",
        legal: str = "",
        content: Mapping[str, Any] | None = None,
    ) -> RequestShape:
        """Begin a request: filled in with what the case knows, or as `content` says.

        Args:
            case_id: Id of the case.
            trace: An id.
            rank: 1 to 100000.
            recipient: At most 80 characters.
            legal: At most 80 characters.
            content: The bytes.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "draft_request",
            "POST",
            f"/api/v1/cases/{segment(case_id, 'draft_request')}/requests",
            body={
                "kind": kind,
                "trace": trace,
                "rank": rank,
                "recipient": recipient,
                "legal": legal,
                "content": content,
            },
        )
        return RequestShape.from_json(answer.json(), "draft_request", etag=answer.etag)

    def show_request(self, request_id: str) -> RequestShape:
        """A request, where it stands, what it lacks, and what is due of it.

        Args:
            request_id: Id of the request.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_request", "GET", f"/api/v1/requests/{segment(request_id, 'show_request')}")
        return RequestShape.from_json(answer.json(), "show_request", etag=answer.etag)

    def change_request(self, request_id: str, *, version: int, content: Mapping[str, Any]) -> RequestShape:
        """Change what a draft says.

        Args:
            request_id: Id of the request.
            content: The bytes.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "change_request",
            "PUT",
            f"/api/v1/requests/{segment(request_id, 'change_request')}",
            body={"version": version, "content": content},
        )
        return RequestShape.from_json(answer.json(), "change_request", etag=answer.etag)

    def do_deed(
        self,
        request_id: str,
        *,
        deed: Literal["submit", "withdraw", "send", "acknowledge", "answer", "renew", "retract"],
        version: int,
        reason: str = "",
        outcome: str = "",
        amount: int = 0,
        until: str = "",
        contact: str = "",
        reference: str = "",
        words: str = "",
    ) -> RequestShape:
        """Submit, withdraw or send a request; note what its recipient did; renew it, or take it back.

        Args:
            request_id: Id of the request.
            reason: At most 2000 characters.
            outcome: At most 300 characters.
            until: At most 40 characters.
            contact: At most 300 characters.
            reference: At most 300 characters.
            words: At most 2000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "do_deed",
            "POST",
            f"/api/v1/requests/{segment(request_id, 'do_deed')}/deeds",
            body={
                "deed": deed,
                "version": version,
                "reason": reason,
                "outcome": outcome,
                "amount": amount,
                "until": until,
                "contact": contact,
                "reference": reference,
                "words": words,
            },
        )
        return RequestShape.from_json(answer.json(), "do_deed", etag=answer.etag)

    def decide_request(self, request_id: str, *, approve: bool, digest: str, reason: str = "") -> RequestShape:
        """Approve what another person wrote, or give it back; what was changed since one looked at it is not approved.

        Args:
            request_id: Id of the request.
            digest: A digest, 64 hex digits.
            reason: At most 2000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to approve, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "decide_request",
            "POST",
            f"/api/v1/requests/{segment(request_id, 'decide_request')}/decision",
            body={"approve": approve, "digest": digest, "reason": reason},
        )
        return RequestShape.from_json(answer.json(), "decide_request", etag=answer.etag)

    def import_reply(self, request_id: str, *, content: bytes) -> RequestShape:
        """Take in the answer file that the recipient made with reply.html: the file is the body.

        Args:
            request_id: Id of the request.
            content: The bytes.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "import_reply", "POST", f"/api/v1/requests/{segment(request_id, 'import_reply')}/reply", content=content
        )
        return RequestShape.from_json(answer.json(), "import_reply", etag=answer.etag)

    def show_letter(self, request_id: str, *, language: str = "en") -> bytes:
        """The letter as it would go out now, in a language; what nobody filled in is marked.

        Args:
            request_id: Id of the request.
            language: One of the languages of letters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        return self._connection.ask(
            "show_letter",
            "GET",
            f"/api/v1/requests/{segment(request_id, 'show_letter')}/letter",
            query={"language": language},
            takes="text/html",
        ).body

    def list_stix(self, *, type: str = "", case: str = "", cursor: str = "", most: int = 50) -> StixObjects:
        """STIX objects that one may see, in the order in which they came.

        Args:
            type: Only objects of this type.
            case: Only objects of this case.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_stix",
            "GET",
            "/api/v1/stix/objects",
            query={"type": type or None, "case": case or None, "cursor": cursor or None, "most": most},
        )
        return StixObjects.from_json(answer.json(), "list_stix", etag=answer.etag)

    def every_stix_version(self, *, type: str = "", case: str = "", most: int = 200) -> Iterator[StixVersion]:
        """Every entry of `list_stix`, page by page as they are asked for.

        STIX objects that one may see, in the order in which they came.

        Args:
            type: Only objects of this type.
            case: Only objects of this case.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> StixObjects:
            return self.list_stix(type=type, case=case, cursor=cursor, most=most)

        for found in every(page, "every_stix_version"):
            yield from found.objects

    def import_stix(
        self, *, content: bytes, marking: Tlp = "TLP:RED", pap: Pap = "PAP:RED", case: str = ""
    ) -> TakenShape:
        """Take in a bundle, an envelope, a list, a single object, or what MISP writes: as a whole or not at all.

        Args:
            content: The bytes.
            marking: Marking of what carries none.
            pap: PAP of what carries none.
            case: Case that it belongs to.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "import_stix",
            "POST",
            "/api/v1/stix/objects",
            query={"marking": marking, "pap": pap, "case": case or None},
            content=content,
        )
        return TakenShape.from_json(answer.json(), "import_stix", etag=answer.etag)

    def show_stix(self, stix_id: str) -> StixVersions:
        """Every version of an object.

        Args:
            stix_id: Identifier of the object.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_stix", "GET", f"/api/v1/stix/objects/{segment(stix_id, 'show_stix')}")
        return StixVersions.from_json(answer.json(), "show_stix", etag=answer.etag)

    def find_stix(self, *, q: str) -> FoundObjects:
        """What speaks of an address, a hash, a domain, a technique, or of a group or malware by any of its names.

        Args:
            q: An address, a hash, a domain, a name.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("find_stix", "GET", "/api/v1/stix/find", query={"q": q})
        return FoundObjects.from_json(answer.json(), "find_stix", etag=answer.etag)

    def list_collections(self) -> CollectionList:
        """The collections, and how many objects that one may see lie in each.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_collections", "GET", "/api/v1/collections")
        return CollectionList.from_json(answer.json(), "list_collections", etag=answer.etag)

    def add_collection(
        self, *, title: str, highest: Tlp, group: str | None = None, alias: str = "", writable: bool = False
    ) -> CollectionShape:
        """Make a collection.

        Args:
            title: At most 200 characters.
            group: Id of a need-to-know group; None for none.
            alias: At most 60 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to approve, and a person.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_collection",
            "POST",
            "/api/v1/collections",
            body={"title": title, "highest": highest, "group": group, "alias": alias, "writable": writable},
        )
        return CollectionShape.from_json(answer.json(), "add_collection", etag=answer.etag)

    def release_objects(
        self, collection_id: str, *, ids: Sequence[str], reason: str, every_version: bool = False
    ) -> ReleasedShape:
        """Let objects go to the audience of a collection; what stays is told, with the reason.

        Args:
            collection_id: Id of the collection.
            reason: At most 2000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to approve, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "release_objects",
            "POST",
            f"/api/v1/collections/{segment(collection_id, 'release_objects')}/releases",
            body={"ids": ids, "reason": reason, "every_version": every_version},
        )
        return ReleasedShape.from_json(answer.json(), "release_objects", etag=answer.etag)

    def withdraw_object(self, collection_id: str, *, id: str, reason: str, along: bool = False) -> WithdrawnShape:
        """Take an object back; who may have it already is told.

        Args:
            collection_id: Id of the collection.
            id: At most 300 characters.
            reason: At most 2000 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to approve, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "withdraw_object",
            "POST",
            f"/api/v1/collections/{segment(collection_id, 'withdraw_object')}/withdrawals",
            body={"id": id, "reason": reason, "along": along},
        )
        return WithdrawnShape.from_json(answer.json(), "withdraw_object", etag=answer.etag)

    def list_decisions(self, collection_id: str) -> Decisions:
        """What was decided on a collection, the newest first.

        Args:
            collection_id: Id of the collection.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to approve, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_decisions", "GET", f"/api/v1/collections/{segment(collection_id, 'list_decisions')}/decisions"
        )
        return Decisions.from_json(answer.json(), "list_decisions", etag=answer.etag)

    def list_partners(self) -> PartnerList:
        """The partners, and how many objects each fetched.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_partners", "GET", "/api/v1/partners")
        return PartnerList.from_json(answer.json(), "list_partners", etag=answer.etag)

    def preview_partner(self, partner_id: str) -> Previews:
        """What a partner would be given now, as the bytes that its machine would get, and what it would not.

        Args:
            partner_id: Id of the partner.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to approve, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "preview_partner", "GET", f"/api/v1/partners/{segment(partner_id, 'preview_partner')}/preview"
        )
        return Previews.from_json(answer.json(), "preview_partner", etag=answer.etag)

    def list_sources(self) -> SourceList:
        """What is pulled from elsewhere, and how that goes.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            TooMany: Too often.
        """
        answer = self._connection.ask("list_sources", "GET", "/api/v1/sources")
        return SourceList.from_json(answer.json(), "list_sources", etag=answer.etag)

    def end_source(self, source_id: str) -> Done:
        """Pull a source no more; what came from it stays.

        Args:
            source_id: Id of the source.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("end_source", "DELETE", f"/api/v1/sources/{segment(source_id, 'end_source')}")
        return Done.from_json(answer.json(), "end_source", etag=answer.etag)

    def list_files(
        self,
        *,
        kind: Literal["", "upload", "trace", "screening", "report"] = "",
        case: str | None = None,
        cursor: str = "",
        most: int = 50,
    ) -> Files:
        """Files, the newest first.

        Args:
            kind: Only these.
            case: Id of a case that one is a member of.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_files",
            "GET",
            "/api/v1/files",
            query={"kind": kind or None, "case": case, "cursor": cursor or None, "most": most},
        )
        return Files.from_json(answer.json(), "list_files", etag=answer.etag)

    def every_file(
        self,
        *,
        kind: Literal["", "upload", "trace", "screening", "report"] = "",
        case: str | None = None,
        most: int = 200,
    ) -> Iterator[FileShape]:
        """Every entry of `list_files`, page by page as they are asked for.

        Files, the newest first.

        Args:
            kind: Only these.
            case: Id of a case that one is a member of.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Files:
            return self.list_files(kind=kind, case=case, cursor=cursor, most=most)

        for found in every(page, "every_file"):
            yield from found.files

    def add_file(
        self,
        *,
        name: str,
        content: bytes,
        media_type: str = "application/octet-stream",
        marking: Tlp = "TLP:RED",
        pap: Pap = "PAP:RED",
        case: str | None = None,
        group: str | None = None,
    ) -> FileShape:
        """Keep a file: its bytes are the body. What is not said of its handling is the strictest.

        Args:
            name: At most 500 characters.
            content: The bytes.
            media_type: At most 100 characters.
            marking: Who may see it.
            pap: What may be done with it.
            case: Id of a case that one is a member of.
            group: Id of a need-to-know group that one is a member of.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_file",
            "POST",
            "/api/v1/files",
            query={
                "name": name,
                "media_type": media_type,
                "marking": marking,
                "pap": pap,
                "case": case,
                "group": group,
            },
            content=content,
        )
        return FileShape.from_json(answer.json(), "add_file", etag=answer.etag)

    def show_file(self, file_id: str) -> FileShape:
        """What is known of a file.

        Args:
            file_id: Id of the file.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_file", "GET", f"/api/v1/files/{segment(file_id, 'show_file')}")
        return FileShape.from_json(answer.json(), "show_file", etag=answer.etag)

    def read_file(self, file_id: str) -> bytes:
        """A file's bytes, to be saved: never to be shown in a page of this node.

        Args:
            file_id: Id of the file.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        return self._connection.ask(
            "read_file",
            "GET",
            f"/api/v1/files/{segment(file_id, 'read_file')}/content",
            takes="application/octet-stream",
        ).body

    def ask_trace(
        self,
        *,
        targets: Sequence[str],
        method: Literal["poison", "haircut", "fifo", "lifo", "tiho", "all"] = "fifo",
        backward: bool = False,
        tags: Sequence[str] | None = None,
        cluster: str = "",
        hops: int | None = None,
        least: int = 0,
        until_height: int | None = None,
        max_transactions: int = 200000,
        network: str = "",
        handling: HandlingAsked | None = None,
    ) -> JobShape:
        """Follow money, as a job; its outcome names the file that the answer is saved in, with its digest.

        Args:
            cluster: At most 64 characters.
            hops: 0 to 10000.
            until_height: 0 to 4294967295.
            max_transactions: 1 to 10000000.
            network: At most 40 characters.
            handling: Who may see it; None for the strictest.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "ask_trace",
            "POST",
            "/api/v1/traces",
            body={
                "targets": targets,
                "method": method,
                "backward": backward,
                "tags": tags,
                "cluster": cluster,
                "hops": hops,
                "least": least,
                "until_height": until_height,
                "max_transactions": max_transactions,
                "network": network,
                "handling": handling,
            },
        )
        return JobShape.from_json(answer.json(), "ask_trace", etag=answer.etag)

    def show_trace(self, trace_id: str) -> TraceShape:
        """A saved trace: the same forever (docs/spec/trace-result.md).

        Args:
            trace_id: Id of the file that holds the trace.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_trace", "GET", f"/api/v1/traces/{segment(trace_id, 'show_trace')}")
        return TraceShape.from_json(answer.json(), "show_trace", etag=answer.etag)

    def draw_trace(self, trace_id: str) -> bytes:
        """The lanes of a saved trace; the same trace is the same picture.

        Args:
            trace_id: Id of the file that holds the trace.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        return self._connection.ask(
            "draw_trace", "GET", f"/api/v1/traces/{segment(trace_id, 'draw_trace')}/picture.svg", takes="image/svg+xml"
        ).body

    def show_own_sheet(self, trace_id: str) -> SheetShape:
        """One's own sheet on a trace.

        Args:
            trace_id: Id of the file that holds the trace.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_own_sheet", "GET", f"/api/v1/traces/{segment(trace_id, 'show_own_sheet')}/sheet"
        )
        return SheetShape.from_json(answer.json(), "show_own_sheet", etag=answer.etag)

    def take_sheet_step(
        self,
        trace_id: str,
        *,
        kind: Literal["expand", "collapse", "pin", "unpin", "least", "boxes", "note", "tag", "overrule", "watch"],
        key: str = "",
        value: int | None = None,
        text: str = "",
        label: str = "",
        category: str = "",
    ) -> SheetStepShape:
        """Do a step. What it says to others is a claim (or a watch) that is handled as the trace is.

        Args:
            trace_id: Id of the file that holds the trace.
            key: At most 200 characters.
            text: At most 4000 characters.
            label: At most 200 characters.
            category: At most 100 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "take_sheet_step",
            "POST",
            f"/api/v1/traces/{segment(trace_id, 'take_sheet_step')}/sheet/steps",
            body={"kind": kind, "key": key, "value": value, "text": text, "label": label, "category": category},
        )
        return SheetStepShape.from_json(answer.json(), "take_sheet_step", etag=answer.etag)

    def undo_sheet_step(self, trace_id: str) -> SheetStepShape:
        """Take the last step back: what it said is retracted, what it watched is watched no more.

        Args:
            trace_id: Id of the file that holds the trace.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "undo_sheet_step", "POST", f"/api/v1/traces/{segment(trace_id, 'undo_sheet_step')}/sheet/undo"
        )
        return SheetStepShape.from_json(answer.json(), "undo_sheet_step", etag=answer.etag)

    def redo_sheet_step(self, trace_id: str) -> SheetStepShape:
        """Do the step again that was taken back last.

        Args:
            trace_id: Id of the file that holds the trace.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "redo_sheet_step", "POST", f"/api/v1/traces/{segment(trace_id, 'redo_sheet_step')}/sheet/redo"
        )
        return SheetStepShape.from_json(answer.json(), "redo_sheet_step", etag=answer.etag)

    def save_own_sheet(self, trace_id: str, *, title: str = "") -> FileShape:
        """Freeze one's sheet as it stands, handled as strictly as the trace and all that is said on it.

        Args:
            trace_id: Id of the file that holds the trace.
            title: At most 200 characters.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "save_own_sheet",
            "POST",
            f"/api/v1/traces/{segment(trace_id, 'save_own_sheet')}/sheet/saved",
            body={"title": title},
        )
        return FileShape.from_json(answer.json(), "save_own_sheet", etag=answer.etag)

    def show_saved_sheet(self, sheet_id: str) -> SavedSheetShape:
        """A saved sheet: the same forever.

        Args:
            sheet_id: Id of the file that holds the saved sheet.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_saved_sheet", "GET", f"/api/v1/sheets/{segment(sheet_id, 'show_saved_sheet')}"
        )
        return SavedSheetShape.from_json(answer.json(), "show_saved_sheet", etag=answer.etag)

    def list_jobs(
        self,
        *,
        state: Literal["", "queued", "running", "done", "failed", "cancelled"] = "",
        kind: str = "",
        cursor: str = "",
        most: int = 50,
    ) -> Jobs:
        """Background work, the newest first.

        Args:
            state: Only these.
            kind: Only those of this kind.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_jobs",
            "GET",
            "/api/v1/jobs",
            query={"state": state or None, "kind": kind or None, "cursor": cursor or None, "most": most},
        )
        return Jobs.from_json(answer.json(), "list_jobs", etag=answer.etag)

    def every_job(
        self,
        *,
        state: Literal["", "queued", "running", "done", "failed", "cancelled"] = "",
        kind: str = "",
        most: int = 200,
    ) -> Iterator[JobShape]:
        """Every entry of `list_jobs`, page by page as they are asked for.

        Background work, the newest first.

        Args:
            state: Only these.
            kind: Only those of this kind.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Jobs:
            return self.list_jobs(state=state, kind=kind, cursor=cursor, most=most)

        for found in every(page, "every_job"):
            yield from found.jobs

    def add_job(
        self,
        *,
        kind: Literal["chain.build", "chain.follow", "screening", "cluster.build"],
        params: Mapping[str, Any],
        handling: HandlingAsked | None = None,
    ) -> JobShape:
        """Ask for background work.

        Args:
            handling: Who may see it; None for the strictest.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_job", "POST", "/api/v1/jobs", body={"kind": kind, "params": params, "handling": handling}
        )
        return JobShape.from_json(answer.json(), "add_job", etag=answer.etag)

    def show_job(self, job_id: str) -> JobShape:
        """How far a job is, and what came of it.

        Args:
            job_id: Id of the job.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_job", "GET", f"/api/v1/jobs/{segment(job_id, 'show_job')}")
        return JobShape.from_json(answer.json(), "show_job", etag=answer.etag)

    def cancel_job(self, job_id: str) -> JobShape:
        """Have a job stop at its next step.

        Args:
            job_id: Id of the job.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("cancel_job", "DELETE", f"/api/v1/jobs/{segment(job_id, 'cancel_job')}")
        return JobShape.from_json(answer.json(), "cancel_job", etag=answer.etag)

    def show_work(self) -> Work:
        """The jobs that wait or run, for whoever runs the node: whose and of which kind, nothing of what they are
        about.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_work", "GET", "/api/v1/work")
        return Work.from_json(answer.json(), "show_work", etag=answer.etag)

    def stop_work(self, job_id: str) -> Done:
        """Stop anybody's job, unseen.

        Args:
            job_id: Id of the job.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("stop_work", "DELETE", f"/api/v1/work/{segment(job_id, 'stop_work')}")
        return Done.from_json(answer.json(), "stop_work", etag=answer.etag)

    def follow_job(self, job_id: str) -> Iterator[JobShape]:
        """How a job goes, as it goes, until it ends.

        Args:
            job_id: Id of the job.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        for _, data in self._connection.follow("follow_job", f"/api/v1/jobs/{segment(job_id, 'follow_job')}/events"):
            yield shaped(JobShape, data, "follow_job")

    def list_watches(self, *, active: bool | None = None, cursor: str = "", most: int = 50) -> Watches:
        """Watches, the newest first.

        Args:
            active: Those that look, or those that were stopped.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_watches", "GET", "/api/v1/watches", query={"active": active, "cursor": cursor or None, "most": most}
        )
        return Watches.from_json(answer.json(), "list_watches", etag=answer.etag)

    def every_watch(self, *, active: bool | None = None, most: int = 200) -> Iterator[WatchShape]:
        """Every entry of `list_watches`, page by page as they are asked for.

        Watches, the newest first.

        Args:
            active: Those that look, or those that were stopped.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Watches:
            return self.list_watches(active=active, cursor=cursor, most=most)

        for found in every(page, "every_watch"):
            yield from found.watches

    def add_watch(
        self,
        *,
        kind: Literal["address", "cluster", "end"],
        target: str,
        clustering: str = "co-spend",
        channels: Sequence[Literal["webhook", "mail"]] = (),
        note: str = "",
        network: str = "",
        handling: HandlingAsked | None = None,
    ) -> WatchShape:
        """Watch an address, the cluster of an address, or the ends of a saved trace. What is there already does not
        ring.

        Args:
            target: At most 500 characters.
            clustering: At most 64 characters.
            note: At most 200 characters.
            network: At most 40 characters.
            handling: Who may see it; None for the strictest.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "add_watch",
            "POST",
            "/api/v1/watches",
            body={
                "kind": kind,
                "target": target,
                "clustering": clustering,
                "channels": channels,
                "note": note,
                "network": network,
                "handling": handling,
            },
        )
        return WatchShape.from_json(answer.json(), "add_watch", etag=answer.etag)

    def show_watch(self, watch_id: str) -> WatchShape:
        """A watch, and how far it has looked.

        Args:
            watch_id: Id of the watch.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_watch", "GET", f"/api/v1/watches/{segment(watch_id, 'show_watch')}")
        return WatchShape.from_json(answer.json(), "show_watch", etag=answer.etag)

    def stop_watch(self, watch_id: str) -> WatchShape:
        """Stop a watch; its alarms stay.

        Args:
            watch_id: Id of the watch.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("stop_watch", "DELETE", f"/api/v1/watches/{segment(watch_id, 'stop_watch')}")
        return WatchShape.from_json(answer.json(), "stop_watch", etag=answer.etag)

    def list_alarms(self, *, watch: str = "", answered: bool | None = None, cursor: str = "", most: int = 50) -> Alarms:
        """Alarms, the newest first, with what is left to answer counted.

        Args:
            watch: Only those of this watch.
            answered: Those that somebody has answered, or not.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_alarms",
            "GET",
            "/api/v1/alarms",
            query={"watch": watch or None, "answered": answered, "cursor": cursor or None, "most": most},
        )
        return Alarms.from_json(answer.json(), "list_alarms", etag=answer.etag)

    def every_alarm(self, *, watch: str = "", answered: bool | None = None, most: int = 200) -> Iterator[AlarmShape]:
        """Every entry of `list_alarms`, page by page as they are asked for.

        Alarms, the newest first, with what is left to answer counted.

        Args:
            watch: Only those of this watch.
            answered: Those that somebody has answered, or not.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Alarms:
            return self.list_alarms(watch=watch, answered=answered, cursor=cursor, most=most)

        for found in every(page, "every_alarm"):
            yield from found.alarms

    def show_alarm(self, alarm_id: str) -> AlarmShape:
        """An alarm, with the ways that it went out.

        Args:
            alarm_id: Id of the alarm.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_alarm", "GET", f"/api/v1/alarms/{segment(alarm_id, 'show_alarm')}")
        return AlarmShape.from_json(answer.json(), "show_alarm", etag=answer.etag)

    def answer_alarm(self, alarm_id: str) -> AlarmShape:
        """Say that one has seen to it.

        Args:
            alarm_id: Id of the alarm.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "answer_alarm", "POST", f"/api/v1/alarms/{segment(alarm_id, 'answer_alarm')}/answer"
        )
        return AlarmShape.from_json(answer.json(), "answer_alarm", etag=answer.etag)

    def list_approvals(
        self,
        *,
        decision: Literal["", "open", "approved", "refused", "withdrawn"] = "",
        cursor: str = "",
        most: int = 50,
    ) -> Approvals:
        """What was asked for, the newest first.

        Args:
            decision: Only these.
            cursor: Where to go on: `next` of the page before.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "list_approvals",
            "GET",
            "/api/v1/approvals",
            query={"decision": decision or None, "cursor": cursor or None, "most": most},
        )
        return Approvals.from_json(answer.json(), "list_approvals", etag=answer.etag)

    def every_approval(
        self, *, decision: Literal["", "open", "approved", "refused", "withdrawn"] = "", most: int = 200
    ) -> Iterator[ApprovalShape]:
        """Every entry of `list_approvals`, page by page as they are asked for.

        What was asked for, the newest first.

        Args:
            decision: Only these.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Approvals:
            return self.list_approvals(decision=decision, cursor=cursor, most=most)

        for found in every(page, "every_approval"):
            yield from found.approvals

    def ask_approval(
        self,
        *,
        thing: Literal["claim", "file", "case"],
        id: str,
        marking: Tlp,
        pap: Pap,
        reason: str,
        case: str | None = None,
        group: str | None = None,
        seen_by: HandlingAsked | None = None,
    ) -> ApprovalShape:
        """Ask for a more open handling of a claim, file or case; a second person decides.

        Args:
            id: An id.
            marking: Who may see it.
            pap: What may be done with it.
            reason: At most 2000 characters.
            case: Id of a case; None for none.
            group: Id of a need-to-know group; None for none.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write, and a person.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "ask_approval",
            "POST",
            "/api/v1/approvals",
            body={
                "thing": thing,
                "id": id,
                "marking": marking,
                "pap": pap,
                "reason": reason,
                "case": case,
                "group": group,
                "seen_by": seen_by,
            },
        )
        return ApprovalShape.from_json(answer.json(), "ask_approval", etag=answer.etag)

    def show_approval(self, approval_id: str) -> ApprovalShape:
        """A request, and what became of it.

        Args:
            approval_id: Id of the request.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "show_approval", "GET", f"/api/v1/approvals/{segment(approval_id, 'show_approval')}"
        )
        return ApprovalShape.from_json(answer.json(), "show_approval", etag=answer.etag)

    def withdraw_approval(self, approval_id: str) -> ApprovalShape:
        """Take back one's own request.

        Args:
            approval_id: Id of the request.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write, and a person.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "withdraw_approval", "DELETE", f"/api/v1/approvals/{segment(approval_id, 'withdraw_approval')}"
        )
        return ApprovalShape.from_json(answer.json(), "withdraw_approval", etag=answer.etag)

    def decide_approval(self, approval_id: str, *, approve: bool) -> ApprovalShape:
        """Decide on what another person asked for; what is approved holds at once.

        Args:
            approval_id: Id of the request.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to approve, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "decide_approval",
            "POST",
            f"/api/v1/approvals/{segment(approval_id, 'decide_approval')}/decision",
            body={"approve": approve},
        )
        return ApprovalShape.from_json(answer.json(), "decide_approval", etag=answer.etag)

    def change_marking(
        self,
        *,
        thing: Literal["claim", "file", "case"],
        id: str,
        marking: Tlp,
        pap: Pap,
        case: str | None = None,
        group: str | None = None,
    ) -> HandlingShape:
        """Handle a claim, file or case more strictly; that needs nobody else.

        Args:
            id: An id.
            marking: Who may see it.
            pap: What may be done with it.
            case: Id of a case; None for none.
            group: Id of a need-to-know group; None for none.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to write.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "change_marking",
            "POST",
            "/api/v1/markings",
            body={"thing": thing, "id": id, "marking": marking, "pap": pap, "case": case, "group": group},
        )
        return HandlingShape.from_json(answer.json(), "change_marking", etag=answer.etag)

    def read_audit(self, *, cursor: str = "", newest: bool = False, most: int = 100) -> Leaves:
        """Leaves of the audit log, the oldest first.

        Args:
            cursor: Where to go on: `next` of the page before.
            newest: Begin with the last leaves instead of the first.
            most: At most so many entries.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to audit.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask(
            "read_audit", "GET", "/api/v1/audit", query={"cursor": cursor or None, "newest": newest, "most": most}
        )
        return Leaves.from_json(answer.json(), "read_audit", etag=answer.etag)

    def every_leaf(self, *, newest: bool = False, most: int = 200) -> Iterator[LeafShape]:
        """Every entry of `read_audit`, page by page as they are asked for.

        Leaves of the audit log, the oldest first.

        Args:
            newest: Begin with the last leaves instead of the first.
            most: Entries of one page.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to audit.
            BadInput: A value does not fit.
            TooMany: Too often.
        """

        def page(cursor: str) -> Leaves:
            return self.read_audit(newest=newest, cursor=cursor, most=most)

        for found in every(page, "every_leaf"):
            yield from found.leaves

    def sign_root(self) -> RootShape:
        """Where the log stands, signed now; keep it elsewhere, and hold the log to it later.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to audit.
            TooMany: Too often.
        """
        answer = self._connection.ask("sign_root", "GET", "/api/v1/audit/root")
        return RootShape.from_json(answer.json(), "sign_root", etag=answer.etag)

    def prove_leaf(self, number: int) -> Document:
        """That a leaf stands in the log: its entry, and the hashes up to a signed root; to be verified without the
        node.

        Args:
            number: Of the leaf, from 0.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to audit.
            NotFound: There is none that one may know of.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("prove_leaf", "GET", f"/api/v1/audit/proof/{segment(number, 'prove_leaf')}")
        return Document.from_json(answer.json(), "prove_leaf", etag=answer.etag)

    def verify_audit(self) -> Checked:
        """Recompute the whole log, and hold it to every signed root.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to audit, and a person.
            TooMany: Too often.
        """
        answer = self._connection.ask("verify_audit", "POST", "/api/v1/audit/verification")
        return Checked.from_json(answer.json(), "verify_audit", etag=answer.etag)

    def health(self) -> Health:
        """That the node answers.

        Raises:
            TooMany: Too often.
        """
        answer = self._connection.ask("health", "GET", "/api/v1/health")
        return Health.from_json(answer.json(), "health", etag=answer.etag)

    def status(self) -> Status:
        """How the node stands: its log, its chain stores, what fails in the background.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage or audit or read.
            TooMany: Too often.
        """
        answer = self._connection.ask("status", "GET", "/api/v1/status")
        return Status.from_json(answer.json(), "status", etag=answer.etag)

    def show_keys(self) -> Document:
        """The node's public keys, each certified by the one before (docs/spec/node-keys.md).

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            TooMany: Too often.
        """
        answer = self._connection.ask("show_keys", "GET", "/api/v1/keys")
        return Document.from_json(answer.json(), "show_keys", etag=answer.etag)

    def rotate(self) -> Document:
        """Put new keys in the place of those in use, certified by them.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to manage, and a person.
            ConfirmFirst: The last passkey was shown too long ago: `confirm`, and call again.
            TooMany: Too often.
        """
        answer = self._connection.ask("rotate", "POST", "/api/v1/keys/rotation")
        return Document.from_json(answer.json(), "rotate", etag=answer.etag)

    def search(self, *, q: str) -> Hits:
        """Whatever a text names that this node knows and whoever asks may see: addresses, transactions, cases, files,
        claims.

        Args:
            q: Anything.

        Raises:
            NotSignedIn: There is no session or token, or it is over.
            NotAllowed: That needs the permission to read.
            BadInput: A value does not fit.
            TooMany: Too often.
        """
        answer = self._connection.ask("search", "GET", "/api/v1/search", query={"q": q})
        return Hits.from_json(answer.json(), "search", etag=answer.etag)
