"""The tables. Every object that someone may not see has the five columns of its `Handling`; times are microseconds of Unix time.

Columns whose name ends in `_sealed` hold what must not be readable where the database is not encrypted as a whole: bytes that
`envelope` seals, bound to table, column and row. What must be found by a secret value is found by a keyed hash of it. Where a row
decides who comes in or who may see something, its column `proof` says that the node wrote it so.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

ID = String(32)  # a random id: 32 hex digits
HASH = LargeBinary(32)
COUNTER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows by INTEGER PRIMARY KEY alone


def _handling(*, indexed: bool = True) -> list[Column[Any]]:
    """The columns of `model.access.Handling`."""
    return [
        Column("marking", SmallInteger, nullable=False),
        Column("pap", SmallInteger, nullable=False),
        Column("owner", ID, nullable=False),
        Column("case_id", ID, ForeignKey("cases.id"), index=indexed),
        Column("group_id", ID, ForeignKey("groups.id")),
    ]


def _proof() -> Column[Any]:
    """What proves that the node wrote the row as it is (see `proving`); null where the database is authenticated as a whole."""
    return Column("proof", HASH)


def _where_not_null(column: str) -> dict[str, Any]:
    """Of an index: only the rows where a column is not null, for one that is null in most of many rows."""
    return _where(f"{column} IS NOT NULL")


def _where(condition: str) -> dict[str, Any]:
    """Of an index: only the rows where a condition holds."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


meta = Table(
    "meta", metadata, Column("name", String(64), primary_key=True), Column("value", LargeBinary, nullable=False)
)

# people

people = Table(
    "people",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("organisation", String(200), nullable=False),
    Column("roles", String(100), nullable=False),  # words, in order, with a space between
    Column("highest", SmallInteger, nullable=False),
    Column("mail", String(254), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("version", Integer, nullable=False),
    _proof(),
)
groups = Table(
    "groups",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    _proof(),
)
group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ID, ForeignKey("groups.id"), primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), primary_key=True, index=True),
    _proof(),
)
passkeys = Table(
    "passkeys",
    metadata,
    Column("id", LargeBinary(1023), primary_key=True),  # the credential id that the authenticator chose
    Column("person_id", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    _proof(),
)
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("person_id", ID, ForeignKey("people.id"), primary_key=True),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),  # of TOTP: no code of this step or an earlier one is taken
    Column("created_at", BigInteger, nullable=False),
    _proof(),
)
oidc_subjects = Table(
    "oidc_subjects",
    metadata,
    Column("issuer", String(500), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), nullable=False, index=True),
    _proof(),
)
invitations = Table(
    "invitations",
    metadata,
    Column("secret_hash", HASH, primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    _proof(),
)
challenges = Table(
    "challenges",
    metadata,
    Column("id", ID, primary_key=True),
    Column("purpose", String(20), nullable=False),
    Column("person_id", ID),
    Column("value_sealed", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    _proof(),
)
sessions = Table(
    "sessions",
    metadata,
    Column("secret_hash", HASH, primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),  # of the last ceremony with user verification
    Column("expires_at", BigInteger, nullable=False),
    Column("way", String(20), nullable=False),
    _proof(),
)
tokens = Table(
    "tokens",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("secret_hash", HASH, nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("scopes", String(100), nullable=False),
    Column("highest", SmallInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("used_at", BigInteger),
    _proof(),
)
attempts = Table(
    "attempts",
    metadata,
    Column("key", HASH, primary_key=True),  # of a keyed hash: who tried, in which way
    Column("failures", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("banned_until", BigInteger, nullable=False),
    Column("bans", Integer, nullable=False),  # without a quiet time between them
)
node_keys = Table(
    "node_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
    Column("certified", LargeBinary, nullable=False),  # by the key before it; empty for the first
)

# cases and what belongs to them

cases = Table(
    "cases",
    metadata,
    Column("id", ID, primary_key=True),
    Column("title_sealed", LargeBinary, nullable=False),
    Column("status", String(20), nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("contact", ID, ForeignKey("people.id"), nullable=False),
    Column("marking", SmallInteger, nullable=False),
    Column("pap", SmallInteger, nullable=False),
    Column("owner", ID, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    _proof(),
)
case_people = Table(
    "case_people",
    metadata,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("person_id", ID, ForeignKey("people.id"), primary_key=True, index=True),
    _proof(),
)
case_groups = Table(
    "case_groups",
    metadata,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("group_id", ID, ForeignKey("groups.id"), primary_key=True, index=True),
    _proof(),
)
meetings = Table(  # two cases speak of one subject; which one is never told
    "meetings",
    metadata,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("other_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("found_at", BigInteger, nullable=False),
)
case_about = Table(  # a case's number, and the words that it is found by
    "case_about",
    metadata,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, nullable=False),  # of this: that of the case goes on with what else is changed
    Column("about_sealed", LargeBinary, nullable=False),
)
case_marks = Table(  # what a case touches beside the subjects of its claims: transactions and clusters of its traces
    "case_marks",
    metadata,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("subject_key", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("marking", SmallInteger, nullable=False),  # of that from which it is known
)
timeline = Table(  # what happened in a case, and when that became known: an index over its claims, files and acts
    "timeline",
    metadata,
    Column("id", ID, primary_key=True),  # in the order in which entries were recorded
    Column("kind", String(20), nullable=False),
    Column("ref_key", BigInteger, nullable=False, index=True),  # keyed hash of what it tells of
    Column("happened_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("gone_at", BigInteger),  # since when it no longer holds; null while it does
    Column("body_sealed", LargeBinary, nullable=False),
    *_handling(indexed=False),
    _proof(),
    Index("ix_timeline_case_id_happened_at_id", "case_id", "happened_at", "id"),
)
evidence = Table(
    "evidence",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number", Integer, nullable=False),  # in its case, from 1
    Column("file_id", ID, ForeignKey("files.id"), nullable=False),
    Column("entries", Integer, nullable=False),  # of its custody log: one that lost its end is found
    Column("created_at", BigInteger, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    *_handling(),
    _proof(),
)
custody = Table(  # entries of a custody log; each carries the digest of the one before
    "custody",
    metadata,
    Column("evidence_id", ID, ForeignKey("evidence.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("entry_sealed", LargeBinary, nullable=False),
)
requests = Table(
    "requests",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number", Integer, nullable=False),  # in its case, from 1
    Column("kind", String(20), nullable=False),
    Column("state", String(30), nullable=False),
    Column("due_at", BigInteger, index=True),  # when something is due of it; null for nothing
    Column("created_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),  # goes up by one with every deed
    Column("body_sealed", LargeBinary, nullable=False),
    *_handling(),
    _proof(),
)
request_deeds = Table(  # what was done with a request; only ever added to
    "request_deeds",
    metadata,
    Column("request_id", ID, ForeignKey("requests.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("by", ID, nullable=False),
    Column("deed", String(20), nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    _proof(),
)
travels = Table(  # where a claim or request went, so that a retraction can follow it
    "travels",
    metadata,
    Column("id", ID, primary_key=True),  # in the order in which things went
    Column("ref_key", BigInteger, nullable=False, index=True),  # keyed hash of what travelled
    Column("at", BigInteger, nullable=False),
    Column("recalled_at", BigInteger),  # when what travelled was taken back; null while it holds
    Column("told_at", BigInteger),  # when whoever has it was told so
    Column("body_sealed", LargeBinary, nullable=False),
    *_handling(),
    _proof(),
)
claims = Table(
    "claims",
    metadata,
    Column("seq", COUNTER, primary_key=True, autoincrement=True),
    Column(
        "id", LargeBinary(16), nullable=False
    ),  # keyed hash of the claim's id, which alone would tell who guesses the claim
    Column(
        "place", BigInteger, nullable=False
    ),  # keyed hash of owner, case and group: the same claim may be in several
    Column("subject_key", BigInteger, nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("layer", SmallInteger, nullable=False),
    *_handling(indexed=False),
    Column("thread", BigInteger, nullable=False),  # keyed hash of who says which kind of thing of what, by which source
    Column("received_at", BigInteger, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    UniqueConstraint("id", "place"),
    Index("ix_claims_case_id", "case_id", **_where_not_null("case_id")),
    Index(
        "ix_claims_kind_seq", "kind", "seq", **_where("kind <> 'tag'")
    ),  # tags come by the million, in sets of their own
)
retractions = Table(
    "retractions",
    metadata,
    Column("claim_seq", COUNTER, ForeignKey("claims.seq"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", ID, nullable=False),
    Column("reason_sealed", LargeBinary, nullable=False),
)
tag_sets = Table(  # each row is a version; its name is in what is sealed
    "tag_sets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", HASH, nullable=False, unique=True),  # keyed hash of name, version, owner, case and group
    Column("name_key", BigInteger, nullable=False, index=True),  # keyed hash of name, owner, case and group
    Column("current", Boolean, nullable=False),
    Column("strictest", SmallInteger, nullable=False),  # the highest marking of its tags; `marking` is the lowest
    Column("created_at", BigInteger, nullable=False),
    Column("info_sealed", LargeBinary, nullable=False),
    *_handling(),
    _proof(),
)
tag_set_parts = Table(  # which claims are in it, by the keys of their subjects
    "tag_set_parts",
    metadata,
    Column("set_id", ID, ForeignKey("tag_sets.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("members_sealed", LargeBinary, nullable=False),
)
files = Table(
    "files",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(20), nullable=False),  # upload, trace, screening, report
    Column("name_sealed", LargeBinary, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256_sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    *_handling(),
    _proof(),
)
file_parts = Table(
    "file_parts",
    metadata,
    Column("file_id", ID, ForeignKey("files.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content_sealed", LargeBinary, nullable=False),
)
approvals = Table(
    "approvals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),  # what is asked for, and why
    Column("asked_by", ID, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("decision", String(20), nullable=False),  # open, approved, refused
    Column("decided_by", ID),
    Column("decided_at", BigInteger),
    *_handling(),
    _proof(),
)

# partners, and what is shared with them

partners = Table(
    "partners",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("highest", SmallInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # since when nothing goes to them
    Column("version", Integer, nullable=False),
    _proof(),
)
partner_groups = Table(
    "partner_groups",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    _proof(),
)
partner_members = Table(
    "partner_members",
    metadata,
    Column("group_id", ID, ForeignKey("partner_groups.id"), primary_key=True),
    Column("partner_id", ID, ForeignKey("partners.id"), primary_key=True, index=True),
    _proof(),
)
partner_secrets = (
    Table(  # by which a partner's machine comes in; each is 256 random bits, or a certificate's fingerprint
        "partner_secrets",
        metadata,
        Column("id", ID, primary_key=True),
        Column("partner_id", ID, ForeignKey("partners.id"), nullable=False, index=True),
        Column("kind", String(20), nullable=False),  # secret, certificate
        Column("secret_hash", HASH, nullable=False, unique=True),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("revoked_at", BigInteger),
        _proof(),
    )
)
stix_objects = Table(  # as the bytes that came or that were made here; never changed
    "stix_objects",
    metadata,
    Column("seq", COUNTER, primary_key=True, autoincrement=False),
    Column("id", LargeBinary(16), nullable=False),  # keyed hash of identifier, version and content
    Column("place", BigInteger, nullable=False),  # as of claims
    Column("stix_key", BigInteger, nullable=False),  # keyed hash of the identifier
    Column("version", BigInteger, nullable=False),  # microseconds; see stixobjects.UNVERSIONED
    Column("type", String(250), nullable=False),
    Column("spec", String(3), nullable=False),
    Column("source", ID, nullable=False),  # of the partner or source that it came from; empty for people of the node
    Column("received_at", BigInteger, nullable=False),
    Column("raw_sealed", LargeBinary, nullable=False),
    *_handling(indexed=False),
    _proof(),
    UniqueConstraint("id", "place"),
    Index("ix_stix_objects_stix_key_version", "stix_key", "version"),
)
stix_values = Table(  # by which objects meet: what each says of the world, such as an address or a hash of a file
    "stix_values",
    metadata,
    Column("value_key", BigInteger, primary_key=True, autoincrement=False),  # keyed hash of kind and value
    Column("object_seq", COUNTER, ForeignKey("stix_objects.seq"), primary_key=True, autoincrement=False),
)
sources = Table(  # collections of other servers that are pulled
    "sources",
    metadata,
    Column("id", ID, primary_key=True),
    Column("url_key", HASH, nullable=False, unique=True),  # keyed hash of whose it is and the URL
    Column("target_sealed", LargeBinary, nullable=False),  # URL and how to come in
    Column("every", Integer, nullable=False),  # seconds between pulls; 0: only when somebody asks
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # since when it is pulled no more
    Column("next_at", BigInteger, nullable=False),
    Column("tried_at", BigInteger),
    Column("good_at", BigInteger),  # when last all of it was taken
    Column("state_sealed", LargeBinary, nullable=False),  # how far it was read, what came, what went wrong
    *_handling(),
    _proof(),
)
collections = Table(  # what goes to one audience: a group of partners, or, where there is none, anybody
    "collections",
    metadata,
    Column("id", ID, primary_key=True),
    Column("group_id", ID, ForeignKey("partner_groups.id"), index=True),
    Column("alias", String(100), nullable=False),
    Column("title_sealed", LargeBinary, nullable=False),
    Column("highest", SmallInteger, nullable=False),  # marking that it may hold
    Column("unmarked", SmallInteger, nullable=False),  # marking of what partners add without one
    Column("readable", Boolean, nullable=False),  # whether partners may look into it
    Column("writable", Boolean, nullable=False),  # whether partners may add to it
    Column("owner", ID, ForeignKey("people.id"), nullable=False),  # who answers for what they add
    Column("created_at", BigInteger, nullable=False),
    Column("last_added_at", BigInteger, nullable=False),  # no two objects of it have the same moment, or an earlier one
    _proof(),
)
releases = Table(  # that somebody decided on what goes into a collection, or out of it; only ever added to
    "releases",
    metadata,
    Column("id", ID, primary_key=True),
    Column("collection_id", ID, ForeignKey("collections.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("by", ID, nullable=False),  # of a person, or of the partner who added to it
    Column("deed", String(20), nullable=False),  # release, withdraw, add, delete
    Column("body_sealed", LargeBinary, nullable=False),  # why, and what
    _proof(),
)
collection_objects = Table(
    "collection_objects",
    metadata,
    Column("collection_id", ID, ForeignKey("collections.id"), primary_key=True),
    Column(
        "added_at", BigInteger, primary_key=True, autoincrement=False
    ),  # microseconds: order, header, filter, cursor
    Column("object_seq", COUNTER, ForeignKey("stix_objects.seq"), nullable=False, index=True),
    Column("release_id", ID, ForeignKey("releases.id"), nullable=False),
    Column("stix_key", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("marking", SmallInteger, nullable=False),  # from which ceiling on it goes; at least its object's own
    # Whoever may have less than a newer version's marking must not learn of that by what is the newest for them: of the versions
    # here, the least marking of those that are newer, or older; `collections.NONE` for none.
    Column("newer", SmallInteger, nullable=False),
    Column("older", SmallInteger, nullable=False),
    _proof(),
    UniqueConstraint("collection_id", "stix_key", "version"),
)
former_objects = Table(  # what was in a collection: who fetched it then, has it
    "former_objects",
    metadata,
    Column("collection_id", ID, ForeignKey("collections.id"), primary_key=True),
    Column("added_at", BigInteger, primary_key=True, autoincrement=False),
    Column("stix_key", BigInteger, nullable=False),
    Column("marking", SmallInteger, nullable=False),
    Column("gone_at", BigInteger, nullable=False),
    Index("ix_former_objects_stix_key", "collection_id", "stix_key"),
)
release_rules = Table(  # decisions beforehand on what goes into a collection by itself
    "release_rules",
    metadata,
    Column("id", ID, primary_key=True),
    Column("collection_id", ID, ForeignKey("collections.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("by", ID, ForeignKey("people.id"), nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),  # of what, and why
    Column("ended_at", BigInteger),
    Column("done_seq", BigInteger, nullable=False),  # the last object that it was asked of
    _proof(),
)
statuses = Table(  # what became of what a partner added; kept for some days
    "statuses",
    metadata,
    Column("id", ID, primary_key=True),
    Column("partner_id", ID, ForeignKey("partners.id"), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("body_sealed", LargeBinary, nullable=False),
)
fetches = Table(  # which stretch of a collection went to a partner, so that it can be said who has something
    "fetches",
    metadata,
    Column("partner_id", ID, ForeignKey("partners.id"), primary_key=True),
    Column("collection_id", ID, ForeignKey("collections.id"), primary_key=True),
    Column("first_added", BigInteger, primary_key=True, autoincrement=False),
    Column("last_added", BigInteger, primary_key=True, autoincrement=False),
    Column("ceiling", SmallInteger, primary_key=True, autoincrement=False),  # up to which marking it then got
    Column("first_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),  # when last
)
for _ceiling in range(3):  # TLP:CLEAR, GREEN, AMBER: a page is one scan of one of these, whatever lies between
    Index(
        f"ix_collection_objects_newest_{_ceiling}",
        collection_objects.c.collection_id,
        collection_objects.c.added_at,
        **_where(f"marking <= {_ceiling} AND newer > {_ceiling}"),
    )

# background work

jobs = Table(
    "jobs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("key", HASH, nullable=False, unique=True),  # the same key is the same job
    Column("params_sealed", LargeBinary, nullable=False),
    Column("state", String(20), nullable=False),  # queued, running, done, failed, cancelled
    Column("attempt", Integer, nullable=False),
    Column("worker", String(100), nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("stage", String(100), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("cancel_asked", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("outcome_sealed", LargeBinary),  # its result, or why it failed
    *_handling(),
    _proof(),
    Index("ix_jobs_state_created_at", "state", "created_at"),
)
watches = Table(
    "watches",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(20), nullable=False),  # address, cluster, end
    Column("subject_key", BigInteger, nullable=False, index=True),
    Column("target_sealed", LargeBinary, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("seen_sealed", LargeBinary, nullable=False),  # how far the chain was looked at, and what stood there
    Column("created_at", BigInteger, nullable=False),
    *_handling(),
    _proof(),
)
alarms = Table(
    "alarms",
    metadata,
    Column("id", ID, primary_key=True),
    Column("watch_id", ID, ForeignKey("watches.id"), nullable=False),
    Column("event_key", HASH, nullable=False),  # keyed hash of what happened: it rings once
    Column("body_sealed", LargeBinary, nullable=False),
    Column("rang_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("answered_by", ID),
    *_handling(),
    _proof(),
    UniqueConstraint("watch_id", "event_key"),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("alarm_id", ID, ForeignKey("alarms.id"), nullable=False),
    Column("channel", String(20), nullable=False),  # webhook, mail
    Column("to_key", HASH, nullable=False),  # keyed hash of the address
    Column("to_sealed", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False, index=True),
    Column("state", String(20), nullable=False),  # waiting, sent, given up, withheld
    Column("error_sealed", LargeBinary),
    _proof(),
    UniqueConstraint("alarm_id", "channel", "to_key"),
)
sheet_steps = (
    Table(  # what one person did with a trace, step by step; seen by that person alone, who must still see the trace
        "sheet_steps",
        metadata,
        Column("file_id", ID, ForeignKey("files.id"), primary_key=True),
        Column("person_id", ID, ForeignKey("people.id"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
        Column("state", String(10), nullable=False),  # done, undone, dropped
        Column("at", BigInteger, nullable=False),
        Column("step_sealed", LargeBinary, nullable=False),
    )
)
answers = Table(  # to writes that carried an idempotency key
    "answers",
    metadata,
    Column("key", HASH, primary_key=True),
    Column("request", HASH, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)

# audit

audit_leaves = Table(
    "audit_leaves",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 0
    Column("at", BigInteger, nullable=False),
    Column("entry_sealed", LargeBinary, nullable=False),
    Column("leaf", HASH, nullable=False),
    Column("root", HASH, nullable=False),  # of the tree that this leaf is the last of
)
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one
    Column("size", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
)
audit_roots = Table(
    "audit_roots",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("root", HASH, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
