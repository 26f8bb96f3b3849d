"""/metrics: what it counts, who may read it, and that the dashboard speaks of nothing else."""

import json
import re
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtests.client import Client
from server import metrics
from server.http.metrics import BadToken, token
from tests.server.serving import Server, serving
from tests.waiting import until

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-monitoring-only"
CANARY = "카나리아-글-51c"


async def figures(server: Server, **headers: str) -> dict[str, float]:
    """Samples, by name and labels."""
    shown = {"Authorization": f"Bearer {token(server.node.settings)}"}
    async with server.session.get(server.node.url + "/metrics", headers=shown | headers) as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        text = await response.text()
    assert CANARY not in text
    assert "TESTED" not in text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


async def test_it_counts_what_happens(server: Server) -> None:
    await server.hall()
    before = await figures(server)
    token = await server.ticket()
    heard: list[str] = []
    client = Client(server.session, server.node.url, "TESTED", "audience", token, lambda name, body: heard.append(name))
    await client.connect()
    assert (await client.call("message:post", {"client_id": "count-me-once", "text": CANARY}))["ok"]
    assert not (await client.call("message:post", {"client_id": "count-me-not", "text": ""}))["ok"]
    await until(lambda: "view:changed" in heard)
    now = await figures(server)

    def more(sample: str) -> float:
        return now[sample] - before.get(sample, 0)

    assert now["townhall_connections{role=audience}"] == before.get("townhall_connections{role=audience}", 0) + 1
    assert more("townhall_joins_total{}") == 1
    assert more("townhall_deliveries_total{}") == 1
    assert more("townhall_flush_entries_sum{}") == 1
    assert more("townhall_frames_total{}") >= 1
    assert more("townhall_flush_seconds_count{}") >= 1 and more("townhall_flush_seconds_sum{}") > 0
    assert more("townhall_flush_bytes_sum{}") > len(CANARY.encode())
    assert more("townhall_appended_entries_total{}") == 1
    assert more("townhall_appends_total{outcome=appended}") == 1
    assert more("townhall_append_batch_size_count{}") >= 1
    assert more("townhall_append_seconds_count{}") >= 1
    assert more("townhall_commands_total{command=message:post}") == 2
    assert more("townhall_refusals_total{code=text_empty}") == 1
    assert now["townhall_halls{phase=open}"] == 1
    assert now["townhall_log_lag_entries{}"] == 0
    assert now["process_resident_memory_bytes{}"] > 10e6
    await client.close()
    await until(lambda: _left(server, before.get("townhall_connections{role=audience}", 0)))


async def _left(server: Server, connections: float) -> bool:
    return (await figures(server))["townhall_connections{role=audience}"] == connections


async def test_the_event_loop_and_the_garbage_collector_are_measured(server: Server) -> None:
    import gc

    before = await figures(server)
    gc.collect()

    async def measured() -> bool:
        now = await figures(server)
        names = ("townhall_gc_pause_seconds_count{}", "townhall_event_loop_lag_seconds_count{}")
        return all(now[name] > before[name] for name in names)

    await until(measured)


async def test_a_connection_that_the_guard_closes_is_counted_by_reason(server: Server) -> None:
    before = await figures(server)
    async with server.session.ws_connect(server.node.url + "/socket.io/?EIO=4&transport=websocket") as socket:
        await socket.receive()
        await socket.send_bytes(b"x")
        while not socket.closed:
            await socket.receive()
    after = await figures(server)
    sample = "townhall_rejected_total{reason=binary}"
    assert after[sample] == before.get(sample, 0) + 1


async def test_what_a_flush_carries_tells_how_much_is_coalesced(server: Server) -> None:
    await server.hall()
    clients = [Client(server.session, server.node.url, "TESTED", "audience", await server.ticket()) for _ in range(4)]
    for client in clients:
        await client.connect()
    runtime = await server.node.gateway.directory.get("TESTED")
    assert runtime is not None
    before = await figures(server)
    room = runtime.room("audience")
    for seq in range(runtime.seq + 1, runtime.seq + 11):
        runtime.seq = seq
        room.advance(seq, [(f"x:{seq}", b'{"k":"x"}')])
    await until(lambda: all(client.position == (runtime.epoch, runtime.seq) for client in clients))
    now = await figures(server)

    def more(sample: str) -> float:
        return now[sample] - before[sample]

    assert more("townhall_deliveries_total{}") == 10 * 4
    assert more("townhall_flush_entries_sum{}") == 10
    assert more("townhall_flush_entries_count{}") < 10, "several went in one frame"
    for client in clients:
        await client.close()


async def test_a_log_that_runs_ahead_is_told(server: Server) -> None:
    await server.hall()
    assert (await figures(server))["townhall_log_lag_entries{}"] == 0
    runtime = await server.node.gateway.directory.get("TESTED")
    assert runtime is not None
    follower = server.node.follower
    (hall,) = (hall for hall in follower._halls.values() if hall.code == "TESTED")
    # As the comparison of heads leaves it while what was published does not arrive.
    hall.behind = 7
    assert (await figures(server))["townhall_log_lag_entries{}"] == 7


async def test_without_the_token_it_tells_nothing(server: Server) -> None:
    own = token(server.node.settings)
    for wrong in ("", "wrong", own[:-1], own + "0", "토큰", server.key):
        status, ack = await server.ask("GET", "/metrics", headers={"Authorization": f"Bearer {wrong}"})
        assert (status, ack["error"]["code"]) == (403, "not_allowed")
    assert (await server.ask("GET", "/metrics"))[0] == 403
    assert (Path(server.node.settings.data_dir) / "metrics-token").stat().st_mode & 0o777 == 0o600


async def test_a_token_of_ones_own_takes_the_place_of_the_made_one(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    async with serving(tmp_path / "data", metrics_token_file=str(file)) as server:
        assert (await server.ask("GET", "/metrics", TOKEN + "x"))[0] == 403
        assert "townhall_log_followed{}" in await figures(server, Authorization=f"Bearer {TOKEN}")
        assert not (tmp_path / "data/metrics-token").exists()


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("text", ["", "short", "토큰토큰토큰토큰토큰토큰토큰토큰토큰"])
async def test_a_file_without_a_token_is_refused_at_the_start(tmp_path: Path, text: str, own: bool) -> None:
    file = tmp_path / "data/metrics-token"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(BadToken, match="metrics-token"):
        async with serving(tmp_path / "data", **({"metrics_token_file": str(file)} if own else {})):
            pass


def test_figures_of_several_processes_become_one() -> None:
    one, other = metrics.families(), metrics.families()
    for families, lag, appended in ((one, 3, 10), (other, 5, 4)):
        for name, _, _, samples in families:
            for sample in samples:
                if name == "townhall_log_lag_entries":
                    sample[2] = lag
                if name == "townhall_appended_entries" and sample[0].endswith("_total"):
                    sample[2] = appended
    text = metrics.exposition(metrics.merged([metrics.labelled(one, 1), metrics.labelled(other, 2)])).decode()
    assert "townhall_log_lag_entries 5.0" in text
    assert "townhall_appended_entries_total 14.0" in text
    assert 'process_open_fds{worker="1"}' in text
    assert 'process_open_fds{worker="2"}' in text
    assert "townhall_workers" not in text, "only the parent knows"
    assert {family.name for family in text_string_to_metric_families(text)} <= {family[0] for family in one}


def test_the_dashboard_asks_for_nothing_that_does_not_exist() -> None:
    board = json.loads((ROOT / "docs/grafana/townhall.json").read_text("utf-8"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"\b(?:townhall|process)_\w+", text)}
    known = set()
    for name, kind, _, _ in metrics.families():
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
        known |= {name + ending for ending in endings}
    assert asked <= known
    shown = {name for name, *_ in metrics.families() if name.startswith("townhall_")}
    assert {name for name in shown if not any(one.startswith(name) for one in asked)} == set()


def test_the_manual_names_every_figure() -> None:
    manual = (ROOT / "docs/howto/metrics.md").read_text("utf-8")
    named = set(re.findall(r"`((?:townhall)_\w+)", manual))
    exposed = {name + ("_total" if kind == "counter" else "") for name, kind, _, _ in metrics.families()}
    assert named == {name for name in exposed if name.startswith("townhall_")}


async def test_no_label_can_hold_what_somebody_sent(server: Server) -> None:
    await server.hall()
    await server.send("TESTED", "audience", await server.ticket(), f"message:{CANARY}", text=CANARY)
    await server.send("TESTED", "audience", CANARY, "message:post", text=CANARY)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await server.session.ws_connect(server.node.url + f"/socket.io/?EIO={CANARY}&transport=websocket")
    await figures(server)
