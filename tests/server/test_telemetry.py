"""What is logged, and above all what is not."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from server import telemetry

CANARY = "카나리아-canary-10.9.8.7"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """A function that gives what was logged so far, as it would stand in a file."""
    handlers = logging.getLogger().handlers[:]
    telemetry.set_up(json=True)
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()


def test_a_field_that_is_not_allowed_is_dropped_and_named(lines: Any) -> None:
    structlog.get_logger().info("something", hall="DEMO24", text=CANARY, address=CANARY)
    (line,) = lines()
    assert line["hall"] == "DEMO24"
    assert line["dropped"] == ["address", "text"]
    assert CANARY not in json.dumps(line, ensure_ascii=False)


def test_an_exception_is_logged_by_type_and_place_without_its_words(lines: Any) -> None:
    def fails() -> None:
        raise ValueError(CANARY)

    try:
        try:
            fails()
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        structlog.get_logger().exception("internal", number="abc")
    (line,) = lines()
    assert line["exception"].startswith("RuntimeError at tests/server/test_telemetry.py:")
    assert "from ValueError" in line["exception"] and "in fails" in line["exception"]
    assert CANARY not in json.dumps(line, ensure_ascii=False)


def test_what_a_library_complains_about_is_logged_once_without_its_words(lines: Any) -> None:
    for _ in range(50):
        try:
            raise KeyError(CANARY)
        except KeyError:
            logging.getLogger("aiohttp.server").exception("Error handling request from %s", CANARY)
    (line,) = lines()
    assert (line["source"], line["exception"].split()[0]) == ("aiohttp.server", "KeyError")
    assert CANARY not in json.dumps(line, ensure_ascii=False)


def test_a_flood_of_different_complaints_is_bounded(lines: Any) -> None:
    for number in range(telemetry.LIBRARY_KINDS_MAX + 50):
        logging.getLogger(f"library.{number}").warning(CANARY)
    assert len(lines()) == telemetry.LIBRARY_KINDS_MAX


def test_what_libraries_merely_mention_is_not_logged(lines: Any) -> None:
    logging.getLogger("aiohttp.access").info(CANARY)
    assert lines() == []


async def test_a_failure_that_nobody_awaits_is_logged(lines: Any) -> None:
    loop = asyncio.get_running_loop()
    telemetry.hear(loop)
    loop.call_exception_handler({"message": CANARY, "exception": ValueError(CANARY)})
    loop.call_exception_handler({"message": CANARY})
    found = lines()
    assert [line["event"] for line in found] == ["unawaited", "unawaited"]
    assert CANARY not in json.dumps(found, ensure_ascii=False)


def test_a_log_that_cannot_be_written_stops_nobody(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as broken:
        monkeypatch.setattr("sys.stderr", broken)
        structlog.get_logger().error("something")
        monkeypatch.undo()
        with contextlib.suppress(BrokenPipeError):
            broken.close()
