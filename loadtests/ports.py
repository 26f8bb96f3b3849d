"""Ports for servers that must be found at the same one again: never one that an outgoing connection may have meanwhile."""

import contextlib
import random
import socket

LOWEST, HIGHEST = 20_000, 30_000
"""Below what kernels give to outgoing connections (`ip_local_port_range`)."""


def free_ports(count: int) -> list[int]:
    """So many in a row, free now, on the loopback: a chat's, then its issuer's."""
    while True:
        ports = list(range(first := random.randrange(LOWEST, HIGHEST), first + count))
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in ports:
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return ports
