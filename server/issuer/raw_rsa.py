"""The raw private operation z^d mod n, which `cryptography` does not offer on purpose. By OpenSSL, else by gmpy2.

OpenSSL's is constant-time and blinded, and lets other threads run meanwhile; gmpy2's `powmod_sec` is constant-time for its
operands' sizes, with base blinding of our own (docs/decisions/0040 has the figures). Neither checks its result: the
caller does (blind.py).
"""

import ctypes
import ctypes.util
import importlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Operation = Callable[[bytes], bytes]
"""z as bytes of the modulus' length in, z^d mod n as such out. Raises SigningFailed."""


class SigningFailed(Exception):
    """The private operation gave nothing, or something wrong: nothing leaves."""


def operation(key: RSAPrivateKey) -> Operation:
    """By OpenSSL where it can be loaded, else by gmpy2."""
    found = libcrypto()
    return by_gmpy2(key) if found is None else by_openssl(key, found)


_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "d2i_AutoPrivateKey": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_long]),
    "EVP_PKEY_free": (None, [ctypes.c_void_p]),
    "EVP_PKEY_CTX_new": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_void_p]),
    "EVP_PKEY_CTX_free": (None, [ctypes.c_void_p]),
    "EVP_PKEY_sign_init": (ctypes.c_int, [ctypes.c_void_p]),
    "EVP_PKEY_CTX_ctrl_str": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]),
    "EVP_PKEY_sign": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t), ctypes.c_char_p, ctypes.c_size_t],
    ),
}


def libcrypto() -> Any | None:
    """OpenSSL's library: the one that Python's own ssl module has loaded, else the system's; None where there is neither."""
    for path in _candidates():
        try:
            found = ctypes.CDLL(path)
            for name, (returns, takes) in _FUNCTIONS.items():
                function = getattr(found, name)
                function.restype, function.argtypes = returns, takes
        except (OSError, AttributeError):
            continue
        return found
    return None


def _candidates() -> Iterator[str]:
    try:
        # Names are looked up in what the module is linked with, too: the very library that Python was built against.
        yield str(importlib.import_module("_ssl").__file__)
    except (ImportError, AttributeError):
        pass
    named = ctypes.util.find_library("crypto")
    if named:
        yield named
    yield from ("libcrypto.so.3", "libcrypto.3.dylib", "libcrypto-3-x64.dll")


def by_openssl(key: RSAPrivateKey, lib: Any) -> Operation:
    """`EVP_PKEY_sign` without padding. A context a call, so that several threads may sign at once."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    start = ctypes.c_char_p(der)
    pkey = lib.d2i_AutoPrivateKey(None, ctypes.byref(start), len(der))
    if not pkey:
        raise SigningFailed("OpenSSL does not take the key")
    owner = _Owned(lib, pkey)
    length = key.key_size // 8

    def raw(z: bytes) -> bytes:
        context = lib.EVP_PKEY_CTX_new(owner.pkey, None)
        try:
            out, size = ctypes.create_string_buffer(length), ctypes.c_size_t(length)
            done = (
                context
                and lib.EVP_PKEY_sign_init(context) == 1
                and lib.EVP_PKEY_CTX_ctrl_str(context, b"rsa_padding_mode", b"none") == 1
                and lib.EVP_PKEY_sign(context, out, ctypes.byref(size), z, len(z)) == 1
            )
            if not done or size.value != length:
                raise SigningFailed("OpenSSL refuses to sign")
            return out.raw
        finally:
            lib.EVP_PKEY_CTX_free(context)

    return raw


class _Owned:
    """OpenSSL's copy of the key; freed (and wiped by OpenSSL) with the last operation that uses it."""

    def __init__(self, lib: Any, pkey: int) -> None:
        self._lib = lib
        self.pkey = pkey

    def __del__(self) -> None:
        self._lib.EVP_PKEY_free(self.pkey)


def by_gmpy2(key: RSAPrivateKey) -> Operation:
    """Chinese remainders over `powmod_sec`, the base blinded anew each time."""
    gmpy2: Any = importlib.import_module("gmpy2")
    numbers = key.private_numbers()
    public = numbers.public_numbers
    p, q, n, e = (gmpy2.mpz(value) for value in (numbers.p, numbers.q, public.n, public.e))
    dp, dq, iqmp = (gmpy2.mpz(value) for value in (numbers.dmp1, numbers.dmq1, numbers.iqmp))
    length = key.key_size // 8

    def raw(z: bytes) -> bytes:
        r = gmpy2.mpz(secrets.randbelow(int(n) - 2) + 1)
        base = gmpy2.mpz(int.from_bytes(z, "big")) * gmpy2.powmod(r, e, n) % n
        at_p = gmpy2.powmod_sec(base % p, dp, p)
        at_q = gmpy2.powmod_sec(base % q, dq, q)
        s = (at_q + q * ((at_p - at_q) * iqmp % p)) * gmpy2.invert(r, n) % n
        return int(s).to_bytes(length, "big")

    return raw
