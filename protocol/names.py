"""Identifiers as distinct, validated types. Out: nothing but type aliases; msgspec checks the patterns on arrival."""

from typing import Annotated, Literal

from msgspec import Meta

HallCode = Annotated[str, Meta(pattern=r"^[A-Z0-9]{4,10}$", description="Join code of a town hall")]
Epoch = Annotated[int, Meta(ge=0, lt=2**53, description="Rises whenever the store may have forgotten")]
Seq = Annotated[int, Meta(ge=0, lt=2**53, description="Place of an entry in the log: 1, 2, 3, ...")]
MessageId = Annotated[int, Meta(ge=1, lt=2**53, description="A message is named by the seq of its first entry")]
PollId = Annotated[int, Meta(ge=1, lt=2**53, description="A poll is named by the seq of the entry that opened it")]
ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,40}$", description="Chosen by the client, repeated on a retry")]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
DepartmentId = Slug
DirectorId = Slug
StaffId = Slug
AuthorTag = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$", description="Keyed hash of a participant, within one town hall")]
"""The key stands outside the log and is destroyed on close, so no entry leads back to a participant id."""
Seconds = Annotated[int, Meta(ge=0, lt=2**40, description="Unix time, whole seconds")]
Pseudonym = tuple[int, int, int]
"""Indexes into the catalogue's adjectives and animals, and a number: each page says it in its own language."""
LinkId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}$", description="Names a staff link; says nothing of its secret")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal")]
DueDate = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="Calendar date, ISO 8601")]

Role = Literal["audience", "host", "director", "overlay", "organiser"]
StaffRole = Literal["host", "director", "overlay"]
Language = Literal["ko", "en"]
Phase = Literal["draft", "open", "closed"]
Mode = Literal["open", "reviewed"]
MessageState = Literal["visible", "held", "removed"]
FateState = Literal["asked", "queued", "on_air", "answered", "merged", "deferred", "declined"]
RemovalReason = Literal["abuse", "personal_data", "named_person", "off_topic", "duplicate", "spam", "withdrawn", "other"]
HoldReason = Literal["review", "filter", "moderator"]
DeclineReason = Literal["already_answered", "not_our_remit", "individual_case", "under_law", "other"]
MuteReason = Literal["abuse", "personal_data", "spam", "other"]
