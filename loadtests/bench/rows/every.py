"""All rows, in the order of the tables."""

from loadtests.bench.rows import connections, cost, deflate, load, nodes, slow
from loadtests.bench.rows.row import Row

PRODUCT = ("product",)
PEERS = ("floor", "uws", "nchan", "node", "stock")
ROWS: tuple[Row, ...] = (
    Row(
        "cpu-2000",
        "One message a frame, 2,000 viewers",
        (*PEERS, "product"),
        cost.cpu_2000,
        quick=("floor", "uws", "node", "product"),
    ),
    Row("cpu-5000", "One message a frame, 5,000 viewers", (*PEERS, "product"), cost.cpu_5000),
    Row("batch-10", "Ten messages in one flush", ("floor", "product"), cost.batch, quick=("floor", "product")),
    Row("sustained-100", "100 messages a second to 10,000 viewers", PRODUCT, load.sustained_100, rounds=1, quick=PRODUCT),
    Row("sustained-300", "300 messages a second to 10,000 viewers", PRODUCT, load.sustained_300, rounds=1),
    Row("most", "Most deliveries a second, 99 % within 250 ms", ("floor", "uws", "product"), load.most, rounds=2),
    Row(
        "kept",
        "A connection: memory, joining, heartbeats",
        ("uws", "node", "stock", "product"),
        connections.kept,
        rounds=2,
        quick=PRODUCT,
    ),
    Row("storm", "10,000 join within ten seconds", PRODUCT, connections.storm, rounds=2, quick=PRODUCT),
    Row(
        "instant",
        "5,000 join at the same instant",
        ("floor", "uws", "node", "stock", "product"),
        connections.instant,
        rounds=2,
        quick=PRODUCT,
    ),
    Row("slow", "1,000 of 5,000 stop reading", PRODUCT, slow.slow, rounds=1),
    Row("deflate", "Compressed against plain, 20 messages a second", PRODUCT, deflate.deflate, rounds=2),
    Row("workers", "Two workers against one", PRODUCT, nodes.workers, rounds=2),
    Row("two-nodes", "Posted on one node, seen on another", PRODUCT, nodes.two_nodes, rounds=1),
)
NAMES = {row.name: row for row in ROWS}
