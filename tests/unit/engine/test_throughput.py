from __future__ import annotations

from liquake.engine.throughput import Throughput

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


def test_is_the_rate_of_the_last_ten_seconds() -> None:
    throughput = Throughput()
    for number in range(400):
        throughput.update(START + number * SECOND // 20)
    assert throughput.value(START + 399 * SECOND // 20) == 20.0
    assert throughput.value(START + 399 * SECOND // 20 + 5 * SECOND) == 10.0
    assert throughput.value(START + 60 * SECOND) == 0.0
    assert throughput.total == 400


def test_events_that_come_out_of_order_are_counted() -> None:
    throughput = Throughput()
    for second in (5, 3, 4):
        throughput.update(START + second * SECOND)
    assert throughput.value(START + 6 * SECOND) == 0.3
