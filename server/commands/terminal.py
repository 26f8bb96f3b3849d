"""What commands say at the terminal: sentences of section `cli`, and what went wrong and what to do about it."""

import errno

from protocol.names import Language
from protocol.refusals import Refusal
from protocol.sentences import sentence
from server.answers import refused
from server.http.metrics import BadToken
from server.openings import NotKept
from server.private import OpenToOthers
from server.secret import BadSecret
from server.settings import Settings
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable
from server.store.embedded import DataFolderBusy, ValkeyFailed
from server.workers.parent import WorkerFailed


class Failed(Exception):
    """A sentence for the person at the terminal; the exit code is 1."""


EXPLAINED = (
    Failed,
    StoreUnavailable,
    StoreRefused,
    Busy,
    DataFolderBusy,
    ValkeyFailed,
    BadSecret,
    BadToken,
    NotKept,
    WorkerFailed,
    OpenToOthers,
    OSError,
)
"""What has a sentence of its own; anything else is a bug, and shows where."""


def say(lang: Language, key: str, /, **params: object) -> str:
    """A sentence of section `cli`."""
    return sentence(lang, "cli", key, **params)


def words(refusal: Refusal, lang: Language) -> str:
    """Why the rules, or the command, say no."""
    error = refused(refusal, lang).error
    assert error is not None
    return say(lang, "refused", why=error.message)


def explained(error: Exception, settings: Settings, lang: Language) -> str:
    """What went wrong and what to do, for the person at the terminal; no password in it."""
    match error:
        case DataFolderBusy():
            return say(lang, "data_busy", data=settings.data_dir)
        case OpenToOthers():
            return say(lang, "open_to_others", path=error.path)
        case BadToken():
            return say(lang, "bad_token", path=error)
        case WorkerFailed():
            return say(lang, "worker_failed")
        case BadSecret():
            return say(lang, "bad_secret", path=error)
        case StoreUnavailable() | StoreRefused() | NotKept() | Busy():
            return say(lang, "no_store", url=settings.redis_url.rpartition("@")[2] or settings.data_dir, why=error)
        case OSError(errno=errno.EADDRINUSE):
            return say(lang, "port_taken", port=settings.port)
        case OSError(errno=errno.EACCES, filename=None) | OSError(errno=errno.EADDRNOTAVAIL):
            return say(lang, "port_refused", host=settings.host, port=settings.port, why=error.strerror)
        case OSError(filename=str() | bytes()):
            return say(lang, "no_file", path=error.filename, why=error.strerror)
        case ValkeyFailed():
            return say(lang, "valkey_failed", why=error)
    return str(error)
