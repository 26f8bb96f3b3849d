"""Sends invitations through the SMTP server that is set: in the background, one after another, over one connection."""

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import structlog

from protocol.limits import limit
from server.settings import Settings

log = structlog.get_logger()

TIMEOUT_S = 20.0
"""For each answer of the SMTP server."""


@dataclass(slots=True)
class Sending:
    """How far it is. `failed`: addresses that did not go out, until the next sending or the end of the process."""

    total: int = 0
    sent: int = 0
    failed: list[str] = field(default_factory=list)
    stopped: bool = False
    """What has not gone out yet shall not."""
    ended: bool = False


class Mailer:
    """`settings`: smtp_host and what belongs to it. One sending a town hall at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sendings: dict[str, Sending] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def set_up(self) -> bool:
        """Whether there is an SMTP server."""
        return bool(self._settings.smtp_host)

    @property
    def sender(self) -> str:
        """The address that mail comes from."""
        return self._settings.smtp_from

    def sending(self, code: str) -> Sending:
        """Of the town hall `code`; nothing yet where nothing was sent."""
        return self._sendings.get(code, Sending(ended=True))

    def send(self, code: str, letters: Sequence[tuple[str, Callable[[], EmailMessage]]]) -> bool:
        """Begin to send (address, letter). False: the last sending has not ended."""
        if not self.sending(code).ended:
            return False
        sending = self._sendings[code] = Sending(total=len(letters))
        while len(self._sendings) > limit("issuances_loaded"):
            self._sendings.pop(next(iter(self._sendings)))
        task = asyncio.create_task(asyncio.to_thread(self._work, letters, sending), name="mail")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def stop(self) -> None:
        """Let what is being sent end; what has not gone out is then said to have failed."""
        for sending in self._sendings.values():
            sending.stopped = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _work(self, letters: Sequence[tuple[str, Callable[[], EmailMessage]]], sending: Sending) -> None:
        smtp: smtplib.SMTP | None = None
        try:
            for address, letter in letters:
                if sending.stopped:
                    sending.failed.append(address)
                    continue
                for _ in range(2):  # a connection that was cut is made once more
                    try:
                        smtp = smtp or self._connect()
                        smtp.send_message(letter())
                        sending.sent += 1
                        break
                    except smtplib.SMTPAuthenticationError:
                        # Trying a wrong password again and again locks accounts: nothing more goes out.
                        log.warning("mail_failed", why="SMTPAuthenticationError")
                        sending.stopped = True
                        sending.failed.append(address)
                        break
                    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError):
                        smtp = None
                    except (smtplib.SMTPException, OSError, ValueError) as error:
                        # The kind alone: the words of a server may quote the address.
                        log.warning("mail_failed", why=type(error).__name__)
                        with contextlib.suppress(smtplib.SMTPException, OSError):
                            if smtp is not None:
                                smtp.rset()
                        sending.failed.append(address)
                        break
                else:
                    sending.failed.append(address)
        finally:
            sending.ended = True
            with contextlib.suppress(smtplib.SMTPException, OSError):
                if smtp is not None:
                    smtp.quit()

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        if settings.smtp_security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S, context=context)
        else:
            smtp = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S)
        try:
            if settings.smtp_security == "starttls":
                smtp.starttls(context=context)
            if settings.smtp_user:
                smtp.login(settings.smtp_user, Path(settings.smtp_password_file).read_text("utf-8").strip())
        except (smtplib.SMTPException, OSError):
            smtp.close()
            raise
        return smtp
