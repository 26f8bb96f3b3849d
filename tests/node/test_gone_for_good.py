"""Removed text reaches nobody who may not see it; erased text is nowhere at all."""

from pathlib import Path

from server.fanout.room import Room
from server.http.export import FORMATS
from server.store.erase import Eraser
from server.store.keys import Keys
from tests.node.feed import Feed
from tests.node.world import CODE, World
from tests.waiting import until

SECRET = "지워질-글-9b2f71 홍 주무관은 자리에 없다"


def kept(room: Room) -> bytes:
    """All bytes that a room keeps: its ring, the snapshot that newcomers share, and frames that were made for several."""
    ring = b"".join(body for _, _, body in room._ring._kept.values())
    made = b"".join(body or b"" for body in room._made.values())
    windows = b"".join(window.whole for section in room._sections for window in section.windows.values())
    return ring + room._shared.body + b"".join(room._shared.ready.values()) + windows + made


async def exports(world: World) -> bytes:
    """Every file of the record."""
    headers = {"Authorization": f"Bearer {world.node.links.organiser_key}"}
    found = b""
    for name in FORMATS:
        async with world.session.get(f"{world.node.url}/api/v1/halls/{CODE}/export/{name}", headers=headers) as response:
            assert response.status == 200
            found += await response.read()
    return found


async def test_removed_text_is_in_no_ring_newcomers_view_or_export(world: World) -> None:
    author, host, overlay = await world.person(), await world.person("host"), await world.person("overlay")
    other = await world.person()
    await host.command("overlay:ticker", on=True)
    id = (await author.command("message:post", text=SECRET, asked=True))["seq"]
    await until(lambda: any(SECRET in str(fragment) for fragment in overlay.fragments()))
    before = other.position
    await until(lambda: other.position == (world.runtime.epoch, world.runtime.seq))
    assert SECRET.encode() in kept(world.runtime.room("audience"))
    assert SECRET.encode() in await exports(world)
    assert (await host.command("message:remove", message=id, reason="named_person"))["ok"]
    await until(lambda: other.fragments()[-1] == {"k": "gone", "id": id})
    for role in ("audience", "overlay"):
        assert SECRET.encode() not in kept(world.runtime.room(role))
    assert SECRET.encode() not in await exports(world)
    # Neither who comes now nor who comes back from before it was posted is handed the text.
    newcomer, back = await world.person(), await world.person()
    await back.close()
    back.news.clear()
    back.position = before
    await back.connect()
    await until(lambda: newcomer.position == back.position == (world.runtime.epoch, world.runtime.seq))
    for person in (newcomer, back):
        assert SECRET not in str(person.news)
    feed = Feed(world.session, world.node.url, CODE, "audience", back._token)
    feed.last_id = f"{world.runtime.epoch}-{(before or (0, 0))[1]}"
    await feed.open()
    await until(lambda: feed.news)
    assert SECRET not in str(feed.news)
    await feed.close()


async def test_erased_text_is_nowhere(world: World, tmp_path: Path) -> None:
    author, host = await world.person(), await world.person("host")
    id = (await author.command("message:post", text=SECRET))["seq"]
    stays = (await author.command("message:post", text="남는 글"))["seq"]
    await host.command("message:remove", message=id, reason="personal_data")
    assert (await host.command("message:erase", message=id))["ok"]
    await until(lambda: world.runtime.hall.messages[id].text is None)

    def in_files(text: str) -> bool:
        return any(text.encode() in path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())

    await until(lambda: not in_files(SECRET), 40)
    assert in_files("남는 글")
    eraser = Eraser(world.node.store)
    eraser.rewrite_soon(CODE)
    await eraser.stop()
    assert not in_files(SECRET)
    redis = world.node.store.of(CODE)
    dumps = [await redis.dump(key) for key in (Keys(CODE).log, Keys(CODE).texts)]
    assert all(dumps)
    assert not any(SECRET.encode() in dump for dump in dumps)
    for role in ("audience", "host", "overlay"):
        assert SECRET.encode() not in kept(world.runtime.room(role))
    assert SECRET.encode() not in await exports(world)
    newcomer = await world.person("host")
    await until(lambda: any(fragment.get("id") == stays for fragment in newcomer.fragments()))
    assert SECRET not in str(newcomer.news)
