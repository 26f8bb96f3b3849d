"""Who gets in: tickets, staff links, the organiser key, and what is derived from a participant id."""

import base64
import concurrent.futures
import hmac
from pathlib import Path

import pytest

from moderation.hall import Hall
from protocol.refusals import Refusal
from server.admission.admit import Admission
from server.admission.admitted import NOBODY, Admitted, Sender
from server.admission.links import Links
from server.admission.staff_tickets import StaffTickets
from server.admission.tickets import WATCH_S, Tickets
from server.mac import Mac
from server.secret import BadSecret, Secret, load
from tests.town import Town

SECRET = Secret(b"s" * 32)
LINKS = Links(SECRET, "https://town.example.org")
AUTHOR_KEY = Mac(b"a" * 32)


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(Tickets(SECRET, clock), StaffTickets(SECRET, clock), LINKS, LINKS.organiser_key, SECRET.key("dedupe"))


@pytest.fixture
def hall() -> Hall:
    return Town().hall


def let_in(admission: Admission, hall: Hall, ticket: str, key: Mac | None = AUTHOR_KEY) -> Sender:
    found = admission.admit(hall, key, "audience", ticket)
    assert isinstance(found, Admitted)
    return found.sender


def refused(admission: Admission, hall: Hall, role: str, token: str) -> bool:
    return admission.admit(hall, AUTHOR_KEY, role, token) == Refusal("not_admitted")  # type: ignore[arg-type]


# --- tickets ---
def test_a_ticket_names_the_same_participant_each_time(admission: Admission, hall: Hall) -> None:
    ticket = admission.tickets.issue(hall.code)
    assert let_in(admission, hall, ticket) == let_in(admission, hall, ticket)


def test_two_tickets_share_nothing(admission: Admission, hall: Hall) -> None:
    one, other = (let_in(admission, hall, admission.tickets.issue(hall.code)) for _ in range(2))
    assert one.actor.author != other.actor.author and one.actor.seed != other.actor.seed
    assert one.voter != other.voter and one.bucket != other.bucket and one.dedupe("x") != other.dedupe("x")


@pytest.mark.parametrize("place", range(0, 51, 5))
def test_an_altered_ticket_is_refused(admission: Admission, hall: Hall, place: int) -> None:
    ticket = admission.tickets.issue(hall.code)
    raw = bytearray(base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4)))
    raw[place % len(raw)] ^= 1
    assert refused(admission, hall, "audience", base64.urlsafe_b64encode(raw).decode().rstrip("="))


@pytest.mark.parametrize("token", ["", "x", "é", "=" * 51, "A" * 2_000, "\ud800", "한글"])
def test_what_is_no_ticket_is_refused(admission: Admission, hall: Hall, token: str) -> None:
    assert refused(admission, hall, "audience", token)


def test_a_ticket_of_another_town_hall_is_refused(admission: Admission, hall: Hall) -> None:
    assert refused(admission, hall, "audience", admission.tickets.issue("OTHER"))


def test_a_ticket_ends_after_a_day(admission: Admission, hall: Hall, clock: Clock) -> None:
    ticket = admission.tickets.issue(hall.code)
    clock.now += WATCH_S - 1
    let_in(admission, hall, ticket)
    clock.now += 2
    assert refused(admission, hall, "audience", ticket)


def test_a_ticket_made_with_another_secret_is_refused(admission: Admission, hall: Hall, clock: Clock) -> None:
    assert refused(admission, hall, "audience", Tickets(Secret(b"t" * 32), clock).issue(hall.code))


# --- what is known about a participant ---
def test_the_participant_id_stays_inside(admission: Admission, hall: Hall) -> None:
    ticket = admission.tickets.issue(hall.code)
    holder = admission.tickets.holder(hall.code, ticket)
    assert holder is not None
    pid = holder.id
    for key in (AUTHOR_KEY, None):
        kept = admission.admit(hall, key, "audience", ticket)
        assert isinstance(kept, Admitted)
        parts = [getattr(kept, name) for name in Admitted.__slots__]
        assert pid not in parts and repr(pid)[2:-1] not in repr([kept, *parts])
        found = let_in(admission, hall, ticket, key)
        told = b"|".join([repr(found).encode(), found.bucket, found.dedupe_key, found.voter or b"", found.dedupe("x")])
        assert pid not in told and pid.hex().encode() not in told and repr(pid)[2:-1].encode() not in told


def test_another_author_key_makes_another_person(admission: Admission, hall: Hall) -> None:
    ticket = admission.tickets.issue(hall.code)
    one, other = let_in(admission, hall, ticket), let_in(admission, hall, ticket, Mac(b"b" * 32))
    assert one.actor.author != other.actor.author and one.voter != other.voter


def test_after_closing_nothing_leads_to_what_was_written(admission: Admission, hall: Hall) -> None:
    found = let_in(admission, hall, admission.tickets.issue(hall.code), None)
    assert found.actor.author == NOBODY and found.voter is None and found.actor.seed == 0


def test_a_client_id_can_be_burnt_only_by_its_sender(admission: Admission, hall: Hall) -> None:
    one, other = (let_in(admission, hall, admission.tickets.issue(hall.code)) for _ in range(2))
    assert one.dedupe("client-id-1") == one.dedupe("client-id-1") != other.dedupe("client-id-1")


# --- the organiser ---
def test_the_organiser_is_known_by_the_key_alone(admission: Admission, hall: Hall) -> None:
    assert not refused(admission, hall, "organiser", LINKS.organiser_key)
    assert refused(admission, hall, "organiser", LINKS.organiser_key[:-1])
    assert refused(admission, hall, "organiser", "")


# --- the secret ---
def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        keys = {secret.key("x") for secret in pool.map(load, [path] * 64)}
    assert len(keys) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret"]


def test_keys_for_different_purposes_differ() -> None:
    assert len({SECRET.key(purpose) for purpose in ("ticket", "link", "dedupe", "organiser")}) == 4


def test_a_secret_does_not_print_itself() -> None:
    assert "s" * 4 not in repr(SECRET) and b"s" * 4 not in f"{SECRET}".encode()


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_file_that_holds_no_secret_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secret"
    path.write_text(text)
    with pytest.raises(BadSecret) as caught:
        load(path)
    assert str(caught.value) == str(path)


@pytest.mark.parametrize("key", [b"", b"k", b"k" * 32, b"k" * 64, b"k" * 65, b"k" * 200])
def test_a_key_that_is_made_ready_gives_what_the_standard_library_gives(key: bytes) -> None:
    ready = Mac(key)
    for text in (b"", b"a", b"a" * 1_000, b""):
        assert ready.of(text) == hmac.digest(key, text, "sha256")
    assert len(key) < 32 or key.hex() not in repr(ready)  # shorter ones may stand in any address
