"""What a simulated venue remembers, and that each liquidation of it is told once."""

from __future__ import annotations

import pytest

from liquake.model import Side
from liquake.simulate.contracts import Published
from liquake.simulate.past import Past


def event(number: int) -> Published:
    return Published("toy", "BTC", Side.LONG, 64_000.0, 0.5, 32_000.0, number, 0.5, str(number))


def test_a_liquidation_is_untold_until_somebody_is_told() -> None:
    past = Past()
    past.add(1, {"a": 1}, event(1))
    past.add(2, {"b": 2})
    assert [kept[0] for kept in past.newest_first()] == [2, 1]
    assert past.tell("1", "2") == [event(1)]
    assert past.tell("1") == []


def test_what_is_forgotten_can_no_longer_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liquake.simulate.past._KEPT", 2)
    past = Past()
    for number in range(3):
        past.add(number, {}, event(number))
    assert past.tell("0", "1", "2") == [event(1), event(2)]


def test_what_arrives_late_is_remembered_in_its_place() -> None:
    past = Past()
    for number in (1, 4, 2, 3, 2):
        past.add(number, {})
    assert [kept[0] for kept in past.newest_first()] == [4, 3, 2, 2, 1]
