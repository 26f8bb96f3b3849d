"""A-01, A-02, A-03: the RFC's vectors, what is refused, what never leaves, and that what is seen fits everybody."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA384

from loadtests.blinding import Wallet, blind, finalize, pss_encoded
from loadtests.entry import b64, unb64
from protocol.credentials import EXPONENT, KEY_BITS, message
from server.issuer.blind import BlindSigner
from server.issuer.key_files import public_bytes
from server.issuer.raw_rsa import Operation, SigningFailed, by_gmpy2, by_openssl, libcrypto

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "rfc9474.json").read_text())["vectors"]


def openssl(key: RSAPrivateKey) -> Operation:
    lib = libcrypto()
    assert lib is not None
    return by_openssl(key, lib)


WAYS = {"openssl": openssl, "gmpy2": by_gmpy2}


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return rsa.generate_private_key(EXPONENT, KEY_BITS)


def vector_key(vector: dict[str, Any]) -> RSAPrivateKey:
    p, q, e = (int(vector[name], 16) for name in "pqe")
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, p * q))
    return numbers.private_key()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_vectors_of_the_rfc(vector: dict[str, Any], way: str) -> None:
    key = vector_key(vector)
    text = bytes.fromhex(vector["msg"])
    prefix = bytes.fromhex(vector["msg_prefix"]) if vector["is_randomized"] else b""
    assert (prefix + text).hex() == vector["input_msg"]
    r = pow(int(vector["inv"], 16), -1, key.public_key().public_numbers().n)
    asked = blind(key.public_key(), prefix + text, salt=bytes.fromhex(vector["salt"]), r=r)
    assert asked.blinded.hex() == vector["blinded_msg"]
    signed = BlindSigner(key, WAYS[way](key)).sign(asked.blinded)
    assert signed.hex() == vector["blind_sig"]
    done = finalize(key.public_key(), prefix + text, signed, asked.inverse, salt_bytes=vector["salt_bytes"])
    assert done.hex() == vector["sig"]


@pytest.mark.parametrize("way", WAYS)
def test_what_no_honest_blinding_gives_is_refused(key: RSAPrivateKey, way: str) -> None:
    n, length = key.public_key().public_numbers().n, KEY_BITS // 8
    signer = BlindSigner(key, WAYS[way](key))
    good = secrets.token_bytes(length - 1).rjust(length, b"\0")
    bad = [good[:-1], good + b"\0", *(value.to_bytes(length) for value in (0, 1, n - 1, n, 2**KEY_BITS - 1))]
    assert signer.refused(good) is None
    for blinded in bad:
        refusal = signer.refused(blinded)
        assert refusal is not None and refusal.code == "bad_blinded"
        with pytest.raises(SigningFailed):
            signer.sign(blinded)


@pytest.mark.parametrize("way", WAYS)
def test_a_fault_in_the_machine_never_leaves(key: RSAPrivateKey, way: str) -> None:
    real = WAYS[way](key)

    def faulty(z: bytes) -> bytes:
        s = bytearray(real(z))
        s[200] ^= 4
        return bytes(s)

    blinded = secrets.token_bytes(KEY_BITS // 8 - 1).rjust(KEY_BITS // 8, b"\0")
    with pytest.raises(SigningFailed, match="does not open"):
        BlindSigner(key, faulty).sign(blinded)
    assert BlindSigner(key, real).sign(blinded) == real(blinded)


def test_our_encoding_is_what_others_verify(key: RSAPrivateKey) -> None:
    text = secrets.token_bytes(100)
    n = key.public_key().public_numbers().n
    encoded = int.from_bytes(pss_encoded(text, KEY_BITS - 1, secrets.token_bytes(48)))
    signature = pow(encoded, key.private_numbers().d, n).to_bytes(KEY_BITS // 8)
    key.public_key().verify(signature, text, padding.PSS(padding.MGF1(SHA384()), 48), SHA384())


def test_every_signing_fits_every_token(key: RSAPrivateKey) -> None:
    """A-03: for each pair of a signing and a token there is a blinding that leads from one to the other: they tell nothing."""
    n, e = key.public_key().public_numbers().n, key.public_key().public_numbers().e
    signer, spki = BlindSigner(key), public_bytes(key)
    signings, tokens = [], []
    for _ in range(25):
        wallet = Wallet("AUDIT1", spki)
        signed = signer.sign(wallet.ask())
        wallet.take(signed)
        signings.append((int.from_bytes(wallet.ask()), int.from_bytes(signed)))
        tokens.append((wallet.prepared, int.from_bytes(wallet.signature)))
    fitting = 0
    for z, blind_s in signings:
        for _, s in tokens:
            # s = blind_s / r, so r = blind_s / s; then z must be s^e · r^e.
            r = blind_s * pow(s, -1, n) % n
            fitting += z == pow(s, e, n) * pow(r, e, n) % n
    assert fitting == len(signings) * len(tokens) == 625


def test_a_signature_by_another_key_is_refused_by_the_browser(key: RSAPrivateKey) -> None:
    other = rsa.generate_private_key(EXPONENT, KEY_BITS)
    signer = BlindSigner(other)
    # A blinded value may be too large for the other key; it is drawn anew until it is not.
    wallet = next(w for w in (Wallet("OTHER1", public_bytes(key)) for _ in range(500)) if signer.refused(w.ask()) is None)
    with pytest.raises(InvalidSignature):
        wallet.take(signer.sign(wallet.ask()))


CLIENT = """
import { RSABSSA } from "@cloudflare/blindrsa-ts";
import { createInterface } from "node:readline";
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const b64 = (raw) => Buffer.from(raw).toString("base64url");
const { spki, message, variant } = await next();
const suite = RSABSSA.SHA384[variant]();
const key = await crypto.subtle.importKey("spki", bytes(spki), { name: "RSA-PSS", hash: "SHA-384" }, true, ["verify"]);
const prepared = suite.prepare(bytes(message));
const { blindedMsg, inv } = await suite.blind(key, prepared);
console.log(JSON.stringify({ blinded: b64(blindedMsg), prepared: b64(prepared) }));
const { signature } = await next();
console.log(JSON.stringify({ signature: b64(await suite.finalize(key, prepared, bytes(signature), inv)) }));
"""


@pytest.mark.parametrize("variant", ["PSS.Randomized", "PSS.Deterministic", "PSSZero.Randomized", "PSSZero.Deterministic"])
def test_the_browsers_library_and_the_issuer_agree(key: RSAPrivateKey, variant: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    script = CLIENT.replace("SHA384[variant]", f"SHA384.{variant}")
    process = subprocess.Popen(
        [node, "--input-type=module", "-e", script], cwd="static", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None

    def say(**what: str) -> dict[str, str]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(what) + "\n")
        process.stdin.flush()
        return dict(json.loads(process.stdout.readline()))

    spki = public_bytes(key)
    text = message("participant", "AGREED", spki, secrets.token_bytes(65))
    asked = say(spki=b64(spki), message=b64(text), variant=variant)
    done = say(signature=b64(BlindSigner(key).sign(unb64(asked["blinded"]))))
    prepared = unb64(asked["prepared"])
    assert prepared[-len(text) :] == text
    salt = 0 if "Zero" in variant else 48
    key.public_key().verify(unb64(done["signature"]), prepared, padding.PSS(padding.MGF1(SHA384()), salt), SHA384())
    process.stdin.close()
    process.stdout.close()
    assert process.wait(10) == 0
