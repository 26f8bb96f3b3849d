"""io_uring: the same bytes to many sockets by one system call, where the kernel offers it (Linux 6.1 and newer).

A delivery is one send of the kernel's; entering the kernel for each costs a tenth of it. Here a rank's sends are laid into
memory that is shared with the kernel and handed over together. Nothing is left under way: each send either takes what fits
or says that nothing does, before the call returns. Layout and names: io_uring_setup(2), io_uring_enter(2), linux/io_uring.h.
"""

import ctypes
import errno
import mmap
import os
import struct
import sys
from array import array
from collections.abc import Sequence

import structlog

log = structlog.get_logger()

ENTRIES = 128
"""Sends in one call; as many as a rank has viewers. The ring takes 8 kB for them, and 4 kB for the answers."""

_SETUP, _ENTER = 425, 426
"""Numbers of the system calls: the same on all of Linux' newer architectures."""
_GETEVENTS = 1
_SUBMIT_ALL, _SINGLE_ISSUER, _DEFER_TASKRUN = 1 << 7, 1 << 12, 1 << 13
_SQES_AT = 0x10000000
_OP_SEND = 26
_DONTWAIT, _NOSIGNAL = 0x40, 0x4000
_PARAMS = struct.Struct("<10I 8I Q 8I Q")
"""struct io_uring_params: ten numbers, of which the sixth is the features; then where things lie in the two rings."""
_SQE = struct.Struct("<B B H i Q Q I I Q Q Q Q")
"""struct io_uring_sqe: opcode, flags, priority, descriptor, offset, address, length, message flags, user data, the rest."""
_CQE = struct.Struct("<Q i I")
"""struct io_uring_cqe: user data, result, flags."""


class Batch:
    """The sends to a fixed set of sockets, ready but for the bytes. At most ENTRIES; each descriptor once."""

    __slots__ = ("_addresses", "_answers", "_sends", "_sizes", "_taken", "count", "descriptors")

    def __init__(self, descriptors: Sequence[int]) -> None:
        self.descriptors = descriptors
        self.count = len(descriptors)
        self._sends = bytearray(
            b"".join(_SQE.pack(_OP_SEND, 0, 0, number, 0, 0, 0, _DONTWAIT | _NOSIGNAL, number, 0, 0, 0) for number in descriptors)
        )
        self._addresses = memoryview(self._sends).cast("Q")[2::8]
        self._sizes = memoryview(self._sends).cast("I")[6::16]
        self._answers = bytearray(b"".join(_CQE.pack(number, 0, 0) for number in descriptors))
        self._taken = memoryview(self._answers).cast("i")[2::4]

    def of(self, address: int, size: int) -> tuple[bytearray, bytearray]:
        """The sends of `size` bytes at `address`, and the answers if each takes all of them."""
        self._addresses[:] = array("Q", (address,)) * self.count
        self._sizes[:] = array("I", (size,)) * self.count
        self._taken[:] = array("i", (size,)) * self.count
        return self._sends, self._answers


class Uring:
    """For one thread, the one that made it. Raises OSError where the kernel has no such thing or does not grant it."""

    def __init__(self) -> None:
        if sys.platform != "linux" or sys.byteorder != "little":
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._call = ctypes.CDLL(None, use_errno=True).syscall
        params = ctypes.create_string_buffer(
            _PARAMS.pack(0, 0, _SUBMIT_ALL | _SINGLE_ISSUER | _DEFER_TASKRUN, *(0,) * 25), _PARAMS.size
        )
        self._descriptor: int = self._call(_SETUP, ENTRIES, params)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        told = _PARAMS.unpack(params.raw)
        self._send_slots, self._answer_slots = told[0], told[1]
        _, send_tail, _, _, _, _, places, _ = told[10:18]
        answer_head, answer_tail, _, _, _, self._answers_at, _, _ = told[19:27]
        size = max(places + 4 * self._send_slots, self._answers_at + _CQE.size * self._answer_slots)
        shared = mmap.MAP_SHARED | mmap.MAP_POPULATE
        self._rings = mmap.mmap(self._descriptor, size, flags=shared)
        self._sends = mmap.mmap(self._descriptor, _SQE.size * self._send_slots, flags=shared, offset=_SQES_AT)
        self._numbers = memoryview(self._rings).cast("I")
        self._send_tail, self._answer_head, self._answer_tail = send_tail // 4, answer_head // 4, answer_tail // 4
        for slot in range(self._send_slots):  # place n of the ring is always slot n
            self._numbers[places // 4 + slot] = slot

    def close(self) -> None:
        """Give it back."""
        if self._descriptor >= 0:
            self._numbers.release()
            self._rings.close()
            self._sends.close()
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def works(self) -> bool:
        """Whether it may be sent with: it is not closed, by itself after an error of the call's own or by its owner."""
        return self._descriptor >= 0

    def send(self, batch: Batch, ready: bytes) -> list[tuple[int, int]]:
        """`ready` to each of `batch`. (descriptor, bytes taken) of those that did not take all: full, or broken."""
        address = ctypes.cast(ctypes.c_char_p(ready), ctypes.c_void_p).value
        assert address is not None
        sends, wanted = batch.of(address, len(ready))
        tail, head = self._numbers[self._send_tail], self._numbers[self._answer_head]
        at, room = _SQE.size * (tail % self._send_slots), _SQE.size * (self._send_slots - tail % self._send_slots)
        self._sends[at : at + min(room, len(sends))] = bytes(sends[:room])
        if len(sends) > room:  # round the end of the ring
            self._sends[: len(sends) - room] = bytes(sends[room:])
        self._numbers[self._send_tail] = (tail + batch.count) & 0xFFFFFFFF
        failed = self._enter(head, batch.count)
        answers = self._answers(head, self._numbers[self._answer_tail] - head & 0xFFFFFFFF)
        self._numbers[self._answer_head] = self._numbers[self._answer_tail]
        if answers == wanted:
            return []
        took = {number: max(taken, 0) for number, taken, _ in _CQE.iter_unpack(answers)}
        if failed:
            log.warning("io_uring_failed", errno=errno.errorcode.get(failed, failed))
            self.close()  # what it was not answered for it has not sent, and now never will
        return [(number, took.get(number, 0)) for number in batch.descriptors if took.get(number, 0) != len(ready)]

    def _enter(self, head: int, count: int) -> int:
        """Until all have been sent and answered: 0. Otherwise what the kernel refused the call with."""
        left = count
        while left or self._numbers[self._answer_tail] - head & 0xFFFFFFFF < count:
            taken = self._call(_ENTER, self._descriptor, left, count, _GETEVENTS, None, 0)
            if taken >= 0:
                left -= taken
            elif (error := ctypes.get_errno()) != errno.EINTR:
                return error
        return 0

    def _answers(self, head: int, count: int) -> bytes:
        at, size = self._answers_at + _CQE.size * (head % self._answer_slots), _CQE.size * count
        room = self._answers_at + _CQE.size * self._answer_slots - at
        if size <= room:
            return self._rings[at : at + size]
        return self._rings[at : at + room] + self._rings[self._answers_at : self._answers_at + size - room]


def open_uring() -> Uring | None:
    """None: it is not to be had here, and each send is a call of its own."""
    try:
        return Uring()
    except OSError as error:
        log.info("io_uring_not_granted", errno=errno.errorcode.get(error.errno or 0, error.errno))
        return None
