"""A Redis Cluster that loses a node and gets it back."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import RedisCluster

from liquake.engine.engine import Engine
from liquake.engine.snapshot import Moment, Snapshot
from liquake.errors import SinkDown
from liquake.model import Liquidation
from liquake.storage.current import SNAPSHOT, StateWriter
from liquake.storage.group import Analyst
from liquake.storage.journal import Journal
from liquake.storage.redis import STREAM, RedisSink
from liquake.storage.sink import Follower, ended
from tests.servers import Valkey, ValkeyCluster, free_port
from tests.unit.storage.events import liquidation
from tests.waiting import until


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ValkeyCluster]:
    servers = ValkeyCluster(tmp_path)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


def fresh(number: int) -> Liquidation:
    now = time.time_ns()
    return msgspec.structs.replace(liquidation(number), ts_event=now, ts_recv=now, id=str(number))


def _owner_of_the_stream(cluster: ValkeyCluster) -> Valkey:
    return cluster.owner(STREAM)


def _node_that_is_asked_first(cluster: ValkeyCluster) -> Valkey:
    return cluster.nodes[0][0]


@pytest.mark.parametrize("victim", [_owner_of_the_stream, _node_that_is_asked_first])
async def test_what_was_missed_is_sent_when_the_node_is_back_each_event_once(
    cluster: ValkeyCluster, victim: Callable[[ValkeyCluster], Valkey], tmp_path: Path
) -> None:
    engine, read = Engine({}), list[Liquidation]()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    def moment(markets: Sequence[str]) -> Moment:
        return engine.moment(time.time_ns(), markets)

    def snapshot(markets: Sequence[str], charts: Sequence[str]) -> Snapshot:
        return engine.snapshot(time.time_ns(), markets, charts)

    with Journal(tmp_path / "journal.db") as journal:
        follower = Follower(RedisSink(cluster.url), journal.path, time.time_ns)
        writer = StateWriter(cluster.url, moment, snapshot)
        analyst = Analyst(cluster.url, "one", read.clear, lambda event, _: read.append(event), writer)
        tasks = [asyncio.create_task(part.run()) for part in (follower, analyst)]
        try:
            journal.record([fresh(number) for number in range(100)])
            await until(lambda: len(read) == 100)
            node = victim(cluster)
            node.kill()
            journal.record([fresh(number) for number in range(100, 200)])
            await until(lambda: bool(follower.statistics().trouble and analyst.trouble))
            node.start()
            journal.record([fresh(number) for number in range(200, 300)])
            await until(lambda: len(read) == 300)
            await until(lambda: not (follower.statistics().trouble or analyst.trouble))
            client: Any = RedisCluster.from_url(cluster.url, decode_responses=True)
            async with client:
                stored = Counter(fields["id"] for _, fields in await client.xrange(STREAM))
                async with asyncio.timeout(30.0):
                    while not await client.exists(SNAPSHOT):
                        await asyncio.sleep(0.05)
        finally:
            await ended(*tasks)
    assert stored == Counter(str(number) for number in range(300))
    gc.collect()
    assert complaints == []


async def test_a_cluster_that_is_not_whole_is_down(tmp_path: Path) -> None:
    server = Valkey(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    server.start()
    try:
        assert server.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16000") == "+OK"
        with pytest.raises(SinkDown, match="its cluster is not whole"):
            await RedisSink(server.url).open()
    finally:
        server.stop()
