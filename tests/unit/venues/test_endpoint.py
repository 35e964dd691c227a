"""Of the addresses that follow each other the one that is valid."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from liquake.clock import SECOND
from liquake.venues.endpoint import LEAD, Endpoint, address, next_change

FIRST = Endpoint("wss://toy.example/v1", None, date(2026, 4, 22))
SECOND_ONE = Endpoint("wss://toy.example/v2", date(2026, 3, 6), date(2026, 6, 30), follows=FIRST.url)
THIRD = Endpoint("wss://toy.example/v3", date(2026, 7, 1), follows=SECOND_ONE.url)
OTHER = Endpoint("wss://toy.example/coins", None, date(2026, 1, 1))
LINE = (THIRD, OTHER, FIRST, SECOND_ONE)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize("asked", [FIRST, SECOND_ONE, THIRD])
@pytest.mark.parametrize(
    ("moment", "valid"),
    [
        ("2026-03-05T23:59:59", FIRST),
        ("2026-03-06T00:00:00", SECOND_ONE),
        ("2026-04-23T00:00:00", SECOND_ONE),
        ("2026-06-30T23:59:59", SECOND_ONE),
        ("2026-07-01T00:00:00", THIRD),
        ("2030-01-01T00:00:00", THIRD),
    ],
)
def test_the_newest_that_has_begun_is_gone_to_whichever_is_named(moment: str, valid: Endpoint, asked: Endpoint) -> None:
    assert address(LINE, f"{asked.url}?streams=a?b", at(moment)) == f"{valid.url}?streams=a?b"


def test_what_follows_nothing_stays_where_it_is_even_past_its_end() -> None:
    assert address(LINE, OTHER.url, at("2026-12-31T00:00:00")) == OTHER.url


def test_an_address_that_no_endpoint_has_is_left_alone() -> None:
    assert address(LINE, "wss://proxy.example/v1", at("2026-05-01T00:00:00")) == "wss://proxy.example/v1"
    assert address((), THIRD.url, 0) == THIRD.url


def test_before_its_last_day_is_over_an_address_is_left_for_an_older_one_that_stays() -> None:
    lasting = Endpoint("wss://toy.example/a")
    trial = Endpoint("wss://toy.example/b", date(2026, 3, 1), date(2026, 3, 31), follows=lasting.url)
    end = at("2026-04-01T00:00:00") - LEAD
    assert address((lasting, trial), lasting.url, end - 1) == trial.url
    assert address((lasting, trial), lasting.url, end) == lasting.url


def test_where_none_has_begun_the_first_is_gone_to() -> None:
    first = Endpoint("wss://toy.example/a", date(2026, 3, 1))
    then = Endpoint("wss://toy.example/b", date(2026, 4, 1), follows=first.url)
    assert address((first, then), then.url, at("2026-02-01T00:00:00")) == first.url


def test_addresses_that_follow_each_other_in_a_circle_are_gone_round_once() -> None:
    a, b = (
        Endpoint("wss://a.example", follows="wss://b.example"),
        Endpoint("wss://b.example", follows="wss://a.example"),
    )
    assert address((a, b), a.url, 0) == a.url


def test_the_next_change_is_the_next_beginning_or_the_next_end_that_is_near() -> None:
    changes, now = [], at("2026-02-01T00:00:00")
    while (moment := next_change(LINE, now)) is not None:
        changes.append(moment)
        now = moment
    assert changes == [
        at("2026-03-06T00:00:00"),
        at("2026-04-23T00:00:00") - LEAD,
        at("2026-07-01T00:00:00") - LEAD,
        at("2026-07-01T00:00:00"),
    ]
