"""The border at which the library's errors become ours."""

import contextlib
from collections.abc import Iterator

import redis.exceptions as errors


class StoreUnavailable(Exception):
    """The store did not answer. `outcome_unknown`: a write may have happened; repeat it with the same client id."""

    def __init__(self, why: str, *, outcome_unknown: bool) -> None:
        super().__init__(why)
        self.outcome_unknown = outcome_unknown


class StoreSilent(StoreUnavailable):
    """It let the whole time pass without a word: whoever asks next would wait as long."""


class StoreMoved(StoreUnavailable):
    """Another server of the cluster has these keys now, or nobody for the moment; nothing was executed."""


class StoreRefused(Exception):
    """The store answered no, and wrote nothing. `code`: `disk_full`, `memory_full`, `read_only` or `other`."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@contextlib.contextmanager
def guarded(*, write: bool) -> Iterator[None]:
    """Turns the library's errors into StoreUnavailable and StoreRefused. `write`: whether it may have changed anything."""
    try:
        yield
    except (errors.ConnectionError, errors.TimeoutError, OSError, TimeoutError) as error:
        refused_at_the_door = "connecting to" in str(error) or isinstance(error, errors.BusyLoadingError)
        kind = StoreSilent if isinstance(error, errors.TimeoutError | TimeoutError) else StoreUnavailable
        raise kind(str(error), outcome_unknown=write and not refused_at_the_door) from error
    except (AttributeError, RuntimeError) as error:
        # The library takes the writer of a broken connection away from whoever is about to write.
        raise StoreUnavailable(f"{type(error).__name__}: {error}", outcome_unknown=write) from error
    except (errors.AskError, errors.TryAgainError, errors.ClusterDownError) as error:
        raise StoreMoved(str(error), outcome_unknown=False) from error
    except errors.ResponseError as error:
        raise StoreRefused(_refusal(str(error)), str(error)) from error


def _refusal(words: str) -> str:
    if "MISCONF" in words:
        return "disk_full"
    if "OOM" in words:
        return "memory_full"
    if "READONLY" in words or "MASTERDOWN" in words:
        return "read_only"
    return "other"
