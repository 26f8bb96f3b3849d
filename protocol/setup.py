"""What an organiser sets up: departments, directors, hosts and the stream of a town hall."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from protocol.names import DepartmentId, DirectorId, Language, Mode, StaffId

EligibilityKind = Literal["open", "invitation", "oidc"]
"""How the issuer knows that somebody may take part: the link alone, a personal invitation, single sign-on."""

ShortName = Annotated[str, Meta(min_length=1, max_length=200)]
"""Bounded here in code points as a first fence; the rules count grapheme clusters (limits.py)."""


class Department(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: DepartmentId
    name_ko: ShortName
    name_en: ShortName = "-"
    duties: Annotated[tuple[ShortName, ...], Meta(max_length=60)] = ()
    """Words of its duties, from which routing is suggested."""


class Director(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: DirectorId
    department: DepartmentId
    name: ShortName
    name_en: Annotated[str, Meta(max_length=200)] = ""
    title: Annotated[str, Meta(max_length=200)] = ""
    title_en: Annotated[str, Meta(max_length=200)] = ""


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host or moderator: whoever works the console under this link."""

    id: StaffId
    name: ShortName


class Video(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hls`: an m3u8 address; `iframe`: an embeddable page (YouTube's is `https://www.youtube-nocookie.com/embed/ID`)."""

    kind: Literal["hls", "iframe"]
    url: Annotated[str, Meta(min_length=8, max_length=2_000)]


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs the tokens of a town hall, as its organiser carries it from the issuer to the chat."""

    url: Annotated[str, Meta(min_length=8, max_length=200, description="Origin of the issuer, `https://admit.example.org`")]
    key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{500,700}$", description="Public key: SPKI in DER (RFC 5280), base64url")]
    kinds: Annotated[tuple[EligibilityKind, ...], Meta(min_length=1, max_length=3)] = ("open",)
    staff_key: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_-]{43})?$",
            description="Public key (Ed25519, base64url) of grants to staff who sign in there; empty: none do",
        ),
    ] = ""
    waiting_key: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_-]{500,700})?$",
            description="Public key of waiting tokens: SPKI in DER, base64url; empty: none are given out",
        ),
    ] = ""


class Admission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How people become participants. Stands in the first entry and never changes: everybody follows one key, and no promise
    about the size of the group is taken back.
    """

    issuer: Issuer
    minimum_participants: Annotated[int, Meta(ge=1, le=1_000)] = 30
    """Posting opens at this many admitted participants: a small group is no place to hide in."""
    round_s: Annotated[int, Meta(ge=0, le=3_600)] = 120
    """After opening, browsers show their tokens at a random moment within this time; late-comers' within a quarter of it."""
    round_people: Annotated[int, Meta(ge=1, le=100)] = 5
    """People are let in together, at least this many; fewer only after five minutes, and if each of them will."""


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of what an organiser can set, always sent and stored whole: last value wins."""

    title: ShortName
    language: Language = "ko"
    mode: Mode = "reviewed"
    departments: Annotated[tuple[Department, ...], Meta(max_length=1_000)] = ()
    directors: Annotated[tuple[Director, ...], Meta(max_length=1_000)] = ()
    hosts: Annotated[tuple[Host, ...], Meta(max_length=100)] = (Host(id="host-1", name="Host 1"),)
    video: Video | None = None
    written_due_days: Annotated[int, Meta(ge=1, le=90)] = 14
    """Days after closing by which a question that was not answered on air is answered in writing."""
    keep_pseudonyms: bool = True
    """Whether the record names messages by pseudonym."""
