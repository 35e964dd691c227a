"""The database's schema, step by step, on TimescaleDB and on plain PostgreSQL. Steps are added, never changed.

Under TimescaleDB's Apache licence hypertables and time_bucket work; continuous aggregates, compression and policies
need its community licence (https://docs.timescale.com/about/latest/timescaledb-editions/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

SCHEMA = "liquake"


class Layout(StrEnum):
    """What the database was found to be when the schema was made. It stays so: rows are not moved over by themselves."""

    COMMUNITY = "TimescaleDB"
    APACHE = "TimescaleDB under the Apache licence"
    """Hypertable, but plain views, no compression."""
    PLAIN = "PostgreSQL without TimescaleDB"
    """Partitions by day, plain views, no compression."""


_COLUMNS = """
    time timestamptz NOT NULL,
    venue text NOT NULL,
    key text NOT NULL,
    instrument text NOT NULL,
    asset text NOT NULL,
    market text NOT NULL,
    side text NOT NULL CHECK (side IN ('LONG', 'SHORT')),
    price double precision NOT NULL,
    price_basis text NOT NULL,
    amount double precision,
    usd double precision,
    ts_event bigint NOT NULL,
    ts_recv bigint NOT NULL,
    size double precision,
    id text,
    tags text,
    UNIQUE (time, venue, key)
"""
"""`time` is `ts_event` (UTC nanoseconds) cut to microseconds, for the extension partitions by it. `side` is the
position that was liquidated. `amount` (coins) and `usd` are null where the contract's multiplier is not known."""

_SUMS = """
    SELECT {bucket} AS bucket, venue, market, side,
        count(*) AS events, sum(amount) AS amount, sum(usd) AS usd, count(*) - count(usd) AS unsized
    FROM liquake.liquidations GROUP BY 1, 2, 3, 4
"""

_PERIODS = (("per_minute", "1 minute"), ("per_hour", "1 hour"))


def _tables(layout: Layout) -> list[str]:
    partitions = " PARTITION BY RANGE (time)" if layout is Layout.PLAIN else ""
    statements = [
        f"CREATE TABLE liquake.liquidations ({_COLUMNS}){partitions}",
        "CREATE INDEX liquidations_market_time ON liquake.liquidations (market, time DESC)",
        """CREATE TABLE liquake.cursors (
            journal text PRIMARY KEY, seq bigint NOT NULL, event text NOT NULL, moved timestamptz NOT NULL
        )""",
    ]
    if layout is not Layout.PLAIN:
        statements.append(
            "SELECT create_hypertable('liquake.liquidations', by_range('time', INTERVAL '1 day'),"
            " create_default_indexes => false)"
        )
    return statements


def _aggregates(layout: Layout) -> list[str]:
    if layout is not Layout.COMMUNITY:
        # date_bin is PostgreSQL's own, and the same on both; an hour and a minute begin alike in every time zone.
        return [
            f"CREATE VIEW liquake.{name} AS "
            + _SUMS.format(bucket=f"date_bin('{period}', time, TIMESTAMPTZ '2000-01-01 00:00:00+00')")
            for name, period in _PERIODS
        ]
    statements = []
    for name, period in _PERIODS:
        statements += [
            f"CREATE MATERIALIZED VIEW liquake.{name}"
            " WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS "
            + _SUMS.format(bucket=f"time_bucket(INTERVAL '{period}', time)")
            + " WITH NO DATA",
            # From the beginning: after an outage rows of any age may still come in, and only what changed is redone.
            f"SELECT add_continuous_aggregate_policy('liquake.{name}', start_offset => NULL,"
            f" end_offset => INTERVAL '{period}', schedule_interval => INTERVAL '{period}')",
        ]
    return statements


def _compression(layout: Layout) -> list[str]:
    if layout is not Layout.COMMUNITY:
        return []
    return [
        "ALTER TABLE liquake.liquidations SET (timescaledb.compress,"
        " timescaledb.compress_segmentby = 'venue', timescaledb.compress_orderby = 'time DESC')",
        "SELECT add_compression_policy('liquake.liquidations', INTERVAL '7 days')",
    ]


MIGRATIONS: Sequence[Callable[[Layout], list[str]]] = (_tables, _aggregates, _compression)
"""The n-th makes version n."""

VERSION = len(MIGRATIONS)
