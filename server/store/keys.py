"""The names of all keys and channels, in one place. All of a town hall's share one hash tag, hence one cluster slot.

Channels are sharded ones (SPUBLISH, SSUBSCRIBE), on one server too: in a cluster a plain one costs every server.
"""

from dataclasses import dataclass

HALLS = "th:halls"
"""Set of the codes of all town halls."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of the town hall `code`."""

    code: str

    def _key(self, rest: str) -> str:
        return f"th:{{{self.code}}}:{rest}"

    @property
    def head(self) -> str:
        """Hash: epoch, seq, desk, gate, run (the store's run id when last written)."""
        return self._key("head")

    @property
    def log(self) -> str:
        """Stream: id `SEQ-0`, field `b` = body."""
        return self._key("log")

    @property
    def texts(self) -> str:
        """Hash: seq → text. Beside the stream, because deleting from a stream does not erase."""
        return self._key("texts")

    @property
    def entries(self) -> str:
        """Channel: what was appended."""
        return self._key("entries")

    @property
    def gauges(self) -> str:
        """Channel: figures that changed."""
        return self._key("gauges")

    @property
    def secrets(self) -> str:
        """Hash: random keys that stand outside the log."""
        return self._key("secrets")

    # Whatever stands in these sorted sets has score 0, so that they are kept in the order of their bytes: hashes and sets of
    # a few hundred keep the order in which things were put in.
    @property
    def tokens(self) -> str:
        """Sorted set: id of a token that was shown, and behind it the hash of its device key."""
        return self._key("tokens")

    @property
    def arrived(self) -> str:
        """Sorted set of the tags of those who have shown a token and were not let in yet."""
        return self._key("arrived")

    @property
    def willing(self) -> str:
        """Sorted set of those among `arrived` who will come in with few."""
        return self._key("willing")

    @property
    def waiting(self) -> str:
        """Hash: node → who waits for a round there: the short ids of their waiting tokens."""
        return self._key("waiting")

    @property
    def waiting_few(self) -> str:
        """The same of those among them that will come in with few."""
        return self._key("waiting_few")

    @property
    def waited(self) -> str:
        """Sorted set of the short ids of waiting tokens that a round has taken."""
        return self._key("waited")

    @property
    def counted(self) -> str:
        """Sorted set of those that the round takes which is being opened, if it is."""
        return self._key("counted")

    @property
    def counted_after(self) -> str:
        """Number of the round after which that one comes."""
        return self._key("counted_after")

    @property
    def of_before(self) -> tuple[str, ...]:
        """What earlier versions kept of who waits."""
        return self._key("awaiting"), self._key("awaiting_few")

    def nonces(self, window: int) -> str:
        """Sorted set of hashes of the nonces that were made in this window of time and have been used."""
        return self._key(f"nonces:{window}")

    @property
    def supports(self) -> str:
        """Hash: `state` (`open`, `sealed`, `dropped`), `mark` of the support key; once dropped, message → figure. Stays."""
        return self._key("supports")

    @property
    def older_supports(self) -> tuple[str, str]:
        """Hash and set in which builds of before kept places in bitmaps; deleted wherever they are met."""
        return self._key("slots"), self._key("pool")

    @property
    def polls(self) -> str:
        """Hash: poll → whether its box is `open`, `sealed` or `dropped`. Stays."""
        return self._key("polls")

    def votes(self, poll: int) -> str:
        """Sorted set of ballot and choice, each with the score 0. Gone once the poll is closed."""
        return self._key(f"votes:{poll}")

    def tally(self, poll: int) -> str:
        """Hash: choice → votes, `told`: figures as they were told last, `told_at` and `told_of`: when and of how many voters,
        `mark`: of K_poll. Gone once the poll is closed.
        """
        return self._key(f"tally:{poll}")

    @property
    def presence(self) -> str:
        """Hash: node → "viewers:unix time of the store"."""
        return self._key("presence")

    def dedupe(self, key: bytes) -> bytes:
        """Result of a client id's first command; expires after limits.client_id_s."""
        return self._key("done:").encode() + key

    def rate(self, sender: bytes) -> bytes:
        """When this sender's bucket is full again, unix seconds; expires once it is."""
        return self._key("rate:").encode() + sender

    def support(self, message: int) -> str:
        """Sorted set of handles of those who support one question, each with the score 0. Gone once all is closed."""
        return self._key(f"support:{message}")
