"""What can be the address of a store, and how it is shown."""

from __future__ import annotations

import pytest

from liquake.errors import SettingError
from liquake.storage.address import check_database, check_redis, check_source, without_password


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "redis://:s3cret@host:port",
        "redis://:s3/cret@host:6379",
        "redis://host:0",
        "redis://host/name",
        "redis://[::1",
        "REDIS://host",
        "unix://",
        "nothing",
    ],
)
def test_what_is_no_redis_is_a_usage_error_and_shows_no_password(url: str) -> None:
    with pytest.raises(SettingError, match="redis://user:password@host:6379") as raised:
        check_redis(url)
    assert "s3" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://host/name", "postgresql://me:s3cret@host:port/name", "postgresql://me:s3cret@host", "nothing"]
)
def test_what_is_no_database_is_a_usage_error_and_shows_no_password(url: str) -> None:
    with pytest.raises(SettingError, match="postgresql://user@host") as raised:
        check_database(url)
    assert "s3cret" not in str(raised.value)


def test_how_to_write_a_password_is_said_where_there_may_be_one() -> None:
    with pytest.raises(SettingError, match="%2F"):
        check_source("redis://:s3/cret@host")
    with pytest.raises(SettingError) as raised:
        check_source("postgresql://host/name")
    assert "%2F" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:s3cret@host:6379/0", "redis://host:6379/0"),
        ("postgresql://desk:p%40ss@host/name", "postgresql://desk@host/name"),
        ("postgresql://host/name?password=s3cret", "postgresql://host/name"),
        ("redis://desk:p@ss@host", "redis://desk@host"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://[::1]:6379", "redis://[::1]:6379"),
        ("unix:///run/redis.sock?db=1&password=s3cret", "unix:///run/redis.sock"),
        # Typed as they are, though they had to be escaped.
        ("redis://:s3/cret@host:6379/0", "redis://host:6379/0"),
        ("postgresql://desk:s3/cret@host/name", "postgresql://desk@host/name"),
        ("postgresql://desk:s3#cret@host/name", "postgresql://desk@host/name"),
        ("redis://desk:s3?cret@host", "redis://desk@host"),
        ("desk:s3cret@host", "desk@host"),
        # Without the place they are for, or what stands before it.
        ("redis://:s3cret", "redis://"),
        ("redis://desk:s3cret", "redis://desk"),
        ("redis://[::1", "redis://["),
        ("redis://desk:s3://cret@[host", "redis://desk@[host"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
