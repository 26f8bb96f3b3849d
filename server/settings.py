"""One frozen tree of settings: each with its unit in its name, a default, bounds and a description beside it.

From a TOML file, then from the environment (`TOWNHALL_PORT=80`), then from the command line; the later wins.
What is not known is refused, with the nearest known name.
"""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from protocol.names import Language

PREFIX = "TOWNHALL_"


class BadSettings(Exception):
    """Sentences, one for each thing that is wrong."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that can be set."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")] = 8420
    public_url: Annotated[
        str, Meta(description="Where people reach this server (`https://town.example.org`). Empty: http://HOST:PORT.")
    ] = ""
    data_dir: Annotated[str, Meta(description="Folder of the embedded Valkey, the secret and the organiser key.")] = (
        "./data"
    )
    redis_url: Annotated[
        str,
        Meta(
            description="Your own Redis 7+ or Valkey 8+ (`redis://`, `rediss://`, `unix://`, `redis+sentinel://`). "
            "Empty: the embedded Valkey."
        ),
    ] = ""
    secret_file: Annotated[
        str,
        Meta(
            description="Secret from which tickets and links are made; share it between nodes. Empty: DATA_DIR/secret."
        ),
    ] = ""
    fsync: Annotated[
        Literal["always", "everysec", "no"],
        Meta(description="When the embedded Valkey writes through to the disk; see docs/explanation/durability.md."),
    ] = "always"
    memory_max_mb: Annotated[int, Meta(ge=64, description="Most memory of the embedded Valkey, in MB.")] = 2048
    origins: Annotated[
        tuple[str, ...],
        Meta(description="Origins besides the server's own whose pages may connect (`https://intranet.example.org`)."),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Networks (CIDR) of reverse proxies whose X-Forwarded-For is believed. Empty: nobody's is."),
    ] = ()
    time_zone: Annotated[str, Meta(description="Time zone of the office: due dates are days there.")] = "Asia/Seoul"
    language: Annotated[Language, Meta(description="Language of the command line: `ko` or `en`.")] = "en"
    drain_s: Annotated[
        float, Meta(ge=0, le=60, description="Longest time to say goodbye when stopping, in seconds.")
    ] = 5.0


def descriptions() -> dict[str, str]:
    """{name: description}."""
    hints = get_type_hints(Settings, include_extras=True)
    return {
        name: next(str(meta.description) for meta in hints[name].__metadata__ if isinstance(meta, Meta))
        for name in Settings.__struct_fields__
    }


def load(
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    given: Mapping[str, Any] | None = None,
) -> tuple[Settings, dict[str, str]]:
    """(settings, where each value that is not the default came from). Raises BadSettings."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    wrong: list[str] = []
    if file is not None:
        try:
            found = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadSettings(f"{file}: {error}") from None
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
            wrong.append(f"{sources[name]}: {name} is not a setting." + (f" Did you mean {near[0]}?" if near else ""))
            del values[name]
    wrong += _out_of_bounds(values, sources)
    if wrong:
        raise BadSettings("\n".join(wrong))
    settings = msgspec.convert(values, Settings)
    default = Settings()
    return settings, {n: sources[n] for n in values if getattr(settings, n) != getattr(default, n)}


def _out_of_bounds(values: dict[str, Any], sources: dict[str, str]) -> list[str]:
    wrong: list[str] = []
    for name, value in values.items():
        try:
            msgspec.convert({name: value}, Settings)
        except msgspec.ValidationError as error:
            wrong.append(f"{sources[name]}: {name} = {value!r}: {str(error).partition(' - at ')[0]}.")
    for network in values.get("trusted_proxies") or ():
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            wrong.append(f"{sources['trusted_proxies']}: trusted_proxies: {error}.")
    return wrong


def _from_text(name: str, text: str) -> Any:
    kind = type(getattr(Settings(), name, ""))
    if kind is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def markdown() -> str:
    """docs/reference/settings.md."""
    hints = get_type_hints(Settings)
    rows = [
        f"| `{name}` | `{PREFIX}{name.upper()}` | {_kind(hints[name])} | `{_shown(getattr(Settings(), name))}` | {text} |"
        for name, text in descriptions().items()
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "One TOML file (`townhall serve --config townhall.toml`), then the environment, then the command line: the later",
            "wins. A name or value that is not known is refused. `townhall serve` prints what differs from the defaults.",
            "",
            "| setting | environment | kind | default | what it does |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _kind(hint: Any) -> str:
    text = getattr(hint, "__name__", "") if isinstance(hint, type) else str(hint)
    return {"str": "text", "int": "whole number", "float": "number"}.get(text) or (
        "list of texts" if "tuple" in text else "one of " + ", ".join(f"`{arg}`" for arg in hint.__args__)
    )


def _shown(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value) or '""'
