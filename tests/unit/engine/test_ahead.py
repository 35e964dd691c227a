"""What is read of events that are not settled is what would be read if they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.kinematics import Kinematics
from liquake.analytics.windows import Windows
from liquake.engine.ahead import Ahead

SECOND = 1_000_000_000
NOON = 1_790_000_000 * SECOND
WIDTHS = (SECOND // 10, SECOND, 10 * SECOND)

steps = st.lists(st.tuples(st.integers(0, SECOND), st.floats(0.0, 1e7)), min_size=1, max_size=30)


def twin(events: list[tuple[int, float]]) -> tuple[Windows, Kinematics]:
    windows, kinematics = Windows(), Kinematics()
    for time, usd in events:
        windows.update(time, usd)
        kinematics.update(time, usd)
    return windows, kinematics


def timed(steps: list[tuple[int, float]]) -> list[tuple[int, float]]:
    time, events = NOON, []
    for step, usd in steps:
        time += step
        events.append((time, usd))
    return events


@given(steps, st.data())
def test_settled_and_ahead_together_are_every_event(steps: list[tuple[int, float]], data: st.DataObject) -> None:
    events = timed(steps)
    first = data.draw(st.integers(0, len(events) - 1))
    settled, read = first, first
    windows, kinematics = twin(events[:first])
    ahead = Ahead(windows)
    while settled < len(events):
        for time, usd in events[read : (read := data.draw(st.integers(max(read, settled + 1), len(events))))]:
            ahead.add(time, usd)
        now = events[read - 1][0] + data.draw(st.integers(0, SECOND))
        whole, moving = twin(events[:read])
        if data.draw(st.booleans()):
            assert ahead.kinematics(kinematics).value(now) == moving.value(now)
        for held, more, every in zip(*(part.trailing(now, WIDTHS) for part in (windows, ahead, whole)), strict=True):
            assert tuple(map(sum, zip(held[:3], more[:3], strict=True))) == every[:3]
            assert abs(held[3] + more[3] - every[3]) <= 1e-9 * whole.usd
        windows.update(*events[settled])
        kinematics.update(*events[settled])
        settled += 1
        assert ahead.settle() is (settled < read)
        if settled == read:
            ahead = Ahead(windows)


def test_one_that_is_never_caught_up_with_does_not_grow() -> None:
    windows, kinematics = Windows(), Kinematics()
    ahead, count = Ahead(windows), 5_000
    ahead.add(NOON, 1.0)
    for number in range(1, count):
        ahead.add(NOON + number, 1.0)
        ahead.kinematics(kinematics)
        windows.update(NOON + number - 1, 1.0)
        kinematics.update(NOON + number - 1, 1.0)
        assert ahead.settle()
    assert ahead.trailing(NOON + count, (SECOND,)) == [(1, 0, 0, 1.0)]
    assert len(ahead) < 2_000
    assert ahead.kinematics(kinematics).value(NOON + count) == twin([(NOON + number, 1.0) for number in range(count)])[
        1
    ].value(NOON + count)
