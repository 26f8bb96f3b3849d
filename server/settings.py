"""One frozen tree of settings: each with its unit in its name, a default, bounds and a description beside it.

From a TOML file, then from the environment (`TOWNHALL_PORT=80`), then from the command line; the later wins.
What is not known is refused, with the nearest known name.
"""

import contextlib
import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from protocol.names import Language
from protocol.origins import is_origin, is_safe_address
from protocol.sentences import sentence

PREFIX = "TOWNHALL_"
FILE = Path("townhall.toml")
"""Read where it lies in the working folder and no other file is named."""
ADDRESS = "address"
"""File in the data folder with the address of the server that ran on it last: other commands print links with it."""
STAFF_RULE = re.compile(r"(?P<value>.+)=(?:(?P<role>host|director):(?P<id>[a-z0-9-]{1,40})|(?P<host>host))")
"""Of `oidc_staff`; a director has to be named."""
STORES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that can be set."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")] = 8420
    workers: Annotated[
        int, Meta(ge=1, le=64, description="Processes that share the port; each can use one core. See docs/howto/cluster.md.")
    ] = 1
    public_url: Annotated[
        str, Meta(description="Where people reach this server (`https://town.example.org`). Empty: http://HOST:PORT.")
    ] = ""
    data_dir: Annotated[
        str, Meta(min_length=1, description="Folder of the embedded Valkey, the secret and the organiser key.")
    ] = "./data"
    redis_url: Annotated[
        str,
        Meta(
            description="Your own Redis 7+ or Valkey 8+ (`redis://`, `rediss://`, `unix://`, `redis+sentinel://`, "
            "`redis+cluster://`). Empty: the embedded Valkey."
        ),
    ] = ""
    secret_file: Annotated[
        str,
        Meta(description="Secret from which tickets and links are made; share it between nodes. Empty: DATA_DIR/secret."),
    ] = ""
    fsync: Annotated[
        Literal["always", "everysec", "no"],
        Meta(description="When the embedded Valkey writes through to the disk; see docs/explanation/durability.md."),
    ] = "always"
    memory_max_mb: Annotated[int, Meta(ge=64, le=1_048_576, description="Most memory of the embedded Valkey, in MB.")] = 2048
    origins: Annotated[
        tuple[str, ...],
        Meta(description="Origins besides the server's own whose pages may connect (`https://intranet.example.org`)."),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Networks (CIDR) of reverse proxies whose X-Forwarded-For is believed. Empty: nobody's is."),
    ] = ()
    issuer: Annotated[
        Literal["embedded", "none"],
        Meta(
            description="`embedded`: `serve` and `demo` also start the issuer, as a process of its own that ends with them. "
            "`none`: it runs elsewhere (`townhall issuer`), which is safer, or there is none."
        ),
    ] = "embedded"
    issuer_host: Annotated[str, Meta(min_length=1, description="Address on which the issuer listens.")] = "127.0.0.1"
    issuer_port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port of the issuer; 0: the one after `port`, and a free one where that is 0.")
    ] = 0
    issuer_public_url: Annotated[
        str,
        Meta(
            description="Where people reach the issuer (`https://admit.example.org`): a host name of its own, as cookies know no "
            "ports; that of the chat is refused. Empty: http://ISSUER_HOST:ISSUER_PORT, on the loopback http://localhost:ISSUER_PORT."
        ),
    ] = ""
    issuer_dir: Annotated[str, Meta(description="Folder of the issuer alone: ledger, keys, secret. Empty: DATA_DIR/issuer.")] = ""
    oidc_issuer: Annotated[
        str, Meta(description="OpenID Connect provider (`https://login.example.org/realms/staff`). Empty: no single sign-on.")
    ] = ""
    oidc_client_id: Annotated[
        str, Meta(description="Our name at the provider; the redirect URI to set there is ISSUER_PUBLIC_URL/oidc/callback.")
    ] = ""
    oidc_client_secret_file: Annotated[str, Meta(description="File with our secret at the provider. Empty: a public client.")] = (
        ""
    )
    oidc_scopes: Annotated[tuple[str, ...], Meta(description="What is asked for at the provider.")] = ("openid", "email")
    oidc_claim: Annotated[str, Meta(min_length=1, description="Claim of the ID token that says who is eligible.")] = "groups"
    oidc_eligible: Annotated[
        tuple[str, ...], Meta(description="Values of that claim of which one makes eligible. Empty: whoever can sign in is.")
    ] = ()
    oidc_staff: Annotated[
        tuple[str, ...],
        Meta(
            description="Values of that claim that give a staff role: `VALUE=host` (a further moderator), `VALUE=host:ID`, "
            "`VALUE=director:ID`. The first that fits counts. Empty: staff come by links alone."
        ),
    ] = ()
    smtp_host: Annotated[str, Meta(description="Mail server that invitations are sent through. Empty: none.")] = ""
    smtp_port: Annotated[int, Meta(ge=1, le=65535, description="TCP port of the mail server.")] = 587
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"], Meta(description="How the connection to the mail server is protected.")
    ] = "starttls"
    smtp_user: Annotated[str, Meta(description="Name at the mail server. Empty: without signing in.")] = ""
    smtp_password_file: Annotated[str, Meta(description="File with the password at the mail server.")] = ""
    smtp_from: Annotated[str, Meta(description="Address that invitations come from.")] = ""
    time_zone: Annotated[str, Meta(description="Time zone of the office: due dates are days there.")] = "Asia/Seoul"
    metrics_token_file: Annotated[
        str,
        Meta(
            description="File with the token (16 characters or more) that `/metrics` asks for as `Authorization: Bearer …`. "
            "Empty: DATA_DIR/metrics-token, made at the first start."
        ),
    ] = ""
    flush_wait_max_ms: Annotated[
        int,
        Meta(
            ge=20,
            le=2_000,
            description="The most that messages of a busy town hall wait to be written together, in ms; idle: they do not.",
        ),
    ] = 250
    io_uring: Annotated[
        Literal["auto", "off"],
        Meta(
            description="`auto`: many connections are written to by one system call, where the kernel grants that (Linux 6.1 and "
            "newer); where it does not, or with `off`, by one call each."
        ),
    ] = "auto"
    posts_per_s: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Messages of one town hall that one process takes in a second, in messages/s, as many at once; what is "
            "beyond is refused for a few seconds (`chat_flooded`). Each participant's own bound comes first.",
        ),
    ] = 500
    drain_s: Annotated[float, Meta(ge=0, le=60, description="Longest time to say goodbye when stopping, in seconds.")] = 5.0


class BadSettings(Exception):
    """`wrong`: (key of section `cli`, its parameters), one for each thing that is wrong."""

    def __init__(self, wrong: list[tuple[str, dict[str, str]]]) -> None:
        super().__init__()
        self.wrong = wrong

    def words(self, lang: Language) -> str:
        """A sentence a line. Values that may hold a password are not among them."""
        lines = []
        for key, params in self.wrong:
            expected = {"expected": expects(params["name"], lang)} if key == "setting_wrong" else {}
            lines.append(sentence(lang, "cli", key, **params, **expected))
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.words("en")


def load(
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    given: Mapping[str, Any] | None = None,
) -> tuple[Settings, dict[str, str]]:
    """(settings, where each value that is not the default came from). `file` None: FILE, if there is one.

    Raises BadSettings with everything that is wrong, not only the first.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    wrong: list[tuple[str, dict[str, str]]] = []
    if file is None and FILE.exists():
        file = FILE
    if file is not None:
        try:
            found = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadSettings([("setting_file", {"file": str(file), "why": str(error)})]) from None
        for name, value in found.items():
            values[name], sources[name] = value, str(file)
    for variable, text in environ.items():
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX).lower()
            values[name], sources[name] = _from_text(name, text), variable
    for name, value in (given or {}).items():
        if value is not None:
            values[name], sources[name] = value, "command line"
    known = Settings.__struct_fields__
    for name in list(values):
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            wrong.append(("setting_near" if near else "setting_unknown", _told(name, sources, near=near[0] if near else "")))
            del values[name]
    wrong += [("setting_wrong", _told(name, sources)) for name, value in values.items() if not _fits(name, value)]
    if wrong:
        raise BadSettings(wrong)
    settings = msgspec.convert(values, Settings)
    default = Settings()
    return settings, {n: sources[n] for n in values if getattr(settings, n) != getattr(default, n)}


def _told(name: str, sources: dict[str, str], **more: str) -> dict[str, str]:
    return {"name": name, "source": sources[name], **more}


def _fits(name: str, value: Any) -> bool:
    try:
        checked = getattr(msgspec.convert({name: value}, Settings), name)
        match name:
            case "public_url" | "issuer_public_url":
                return checked == "" or is_origin(checked.rstrip("/"))
            case "origins":
                return all(is_origin(origin) for origin in checked)
            case "oidc_issuer":
                return checked == "" or is_safe_address(checked)
            case "oidc_staff":
                return all(STAFF_RULE.fullmatch(rule) for rule in checked)
            case "trusted_proxies":
                return all(ipaddress.ip_network(network) for network in checked)
            case "redis_url":
                return checked == "" or urlsplit(checked).scheme in STORES
            case "time_zone":
                ZoneInfo(checked)
    except (msgspec.ValidationError, ValueError, LookupError, OSError):
        return False
    return True


def _from_text(name: str, text: str) -> Any:
    kind = type(getattr(Settings(), name, ""))
    if kind is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _meta(name: str) -> list[Meta]:
    hint = get_type_hints(Settings, include_extras=True)[name]
    return [meta for meta in hint.__metadata__ if isinstance(meta, Meta)]


def expects(name: str, lang: Language) -> str:
    """What a value must be, in words: kind and bounds."""

    def say(key: str, **params: object) -> str:
        return sentence(lang, "cli", f"kind.{key}", **params)

    special = {
        "origins": "origins",
        "public_url": "origin",
        "redis_url": "store",
        "time_zone": "zone",
        "oidc_issuer": "provider",
        "oidc_staff": "staff_rules",
    }
    if name in special or name == "trusted_proxies":
        return say(special.get(name, "networks"))
    default = getattr(Settings(), name)
    hint = get_type_hints(Settings)[name]
    if isinstance(default, tuple):
        return say("texts")
    choices = getattr(hint, "__args__", ())
    if choices:
        return say("one_of", choices=", ".join(f"`{choice}`" for choice in choices))
    kind = say("whole" if isinstance(default, int) else "number" if isinstance(default, float) else "text")
    meta = _meta(name)[0]
    return kind if meta.ge is None else say("within", kind=kind, least=f"{meta.ge}", most=f"{meta.le}")


def markdown() -> str:
    """docs/reference/settings.md."""
    rows = [
        f"| `{name}` | `{PREFIX}{name.upper()}` | {expects(name, 'en')} | `{_shown(getattr(Settings(), name))}` "
        f"| {_meta(name)[0].description} |"
        for name in Settings.__struct_fields__
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            f"One TOML file (`{FILE}` in the working folder, or the one that `--config` names), then the environment, then the",
            "command line: the later wins. A name or a value that is not known is refused. `townhall serve` prints what differs",
            "from the defaults and where it came from. This page is written by `townhall settings --markdown`.",
            "",
            "| setting | environment | kind and bounds | default | what it does |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "A list is a TOML array; in the environment its parts are separated by commas. Bounds that clients meet are not",
            "settings: see [limits](limits.md).",
            "",
        ]
    )


def _shown(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value) or '""'
