"""Settings: file < environment < flags, and a sentence for what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquake.config import Settings, load
from liquake.errors import SettingError


def test_nothing_told_gives_the_defaults() -> None:
    assert load({}, {}) == Settings()


def test_flags_overrule_the_environment_which_overrules_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('refresh = 5.0\nsymbols = ["BTC"]\nsamples = true\n')
    environment = {"LIQUAKE_REFRESH": "3", "LIQUAKE_SYMBOLS": "ETH, SOL", "UNRELATED": "x"}
    settings = load({"refresh": 1.0, "symbols": None}, environment, file)
    assert (settings.refresh, settings.symbols, settings.samples) == (1.0, ("ETH", "SOL"), True)


def test_endpoints_come_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[endpoints]\nokx = "http://127.0.0.1:1"\n')
    assert load({}, {}, file).endpoints == {"okx": "http://127.0.0.1:1"}
    told = {"LIQUAKE_ENDPOINTS": "bybit=http://127.0.0.1:2,okx=http://127.0.0.1:3"}
    assert load({}, told, file).endpoints == {"bybit": "http://127.0.0.1:2", "okx": "http://127.0.0.1:3"}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"refresh": 0.0}, ("refresh", "0.0", "0.1")),
        ({"refresh": float("nan")}, ("refresh", "nan")),
        ({"refresh": 1e9}, ("refresh", "60")),
        ({"duration": 0.0}, ("duration", "above 0")),
        ({"duration": float("nan")}, ("duration", "above 0")),
        ({"colour": "red"}, ("colour", "refresh")),
        ({"endpoints": 3}, ("endpoints", "3")),
    ],
)
def test_what_cannot_be_is_named_with_its_mend(flags: dict[str, object], words: tuple[str, ...]) -> None:
    with pytest.raises(SettingError) as caught:
        load(flags, {})
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("told", ["flags", "environment", "file"])
@pytest.mark.parametrize(
    ("setting", "address", "words"),
    [
        ("source", "postgresql://me:s3cret@host/x", ("journal", "redis://", "rediss://", "unix://", "demo")),
        ("source", "http://host", ("journal", "redis://")),
        ("source", "redis://host/name", ("journal", "redis://")),
        ("redis", "foo", ("redis://", "rediss://", "unix://")),
        ("redis", "postgresql://me:s3cret@host/x", ("redis://", "rediss://", "unix://")),
        ("database", "foo", ("postgresql://",)),
        ("database", "redis://:s3cret@host", ("postgresql://",)),
    ],
)
def test_an_address_that_cannot_be_is_named_wherever_it_was_told(
    tmp_path: Path, told: str, setting: str, address: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'{setting} = "{address}"\n' if told == "file" else "")
    flags = {setting: address} if told == "flags" else {}
    environment = {f"LIQUAKE_{setting.upper()}": address} if told == "environment" else {}
    with pytest.raises(SettingError, match=f"^{setting} ") as caught:
        load(flags, environment, file)
    assert all(word in str(caught.value) for word in words)
    assert "s3cret" not in str(caught.value)
    assert "installed" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["redis://host", "rediss://me:s3cret@host:6380/2", "unix:///run/redis.sock?db=1", "redis://[::1]:6379"]
)
def test_an_address_of_redis_may_be_a_store_or_a_source(address: str) -> None:
    settings = load({"redis": address, "source": address}, {})
    assert (settings.redis, settings.source) == (address, address)


@pytest.mark.parametrize("source", ["live", "demo", "recording.csv.gz", "/data/journal.db", "C:/journal.db"])
def test_a_source_may_be_a_word_or_a_path(source: str) -> None:
    assert load({"source": source}, {}).source == source


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("refresh = = 1")
    with pytest.raises(SettingError, match=r"settings\.toml"):
        load({}, {}, file)
    with pytest.raises(SettingError, match="absent"):
        load({}, {}, tmp_path / "absent.toml")


def test_accounts_come_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "liquake.toml"
    file.write_text('[accounts]\nhyperliquid = ["0xa", "0xb"]\n')
    assert load({}, {}, file).accounts == {"hyperliquid": ("0xa", "0xb")}
    told = {"LIQUAKE_ACCOUNTS": "hyperliquid=0xc 0xd,other=1"}
    assert load({}, told, None).accounts == {"hyperliquid": ("0xc", "0xd"), "other": ("1",)}


@pytest.mark.parametrize(
    ("setting", "choices"), [("view", "monitor, overview, cumulative, tape"), ("theme", "dark, light, amber")]
)
def test_of_a_word_that_is_none_of_the_choices_these_are_told(setting: str, choices: str) -> None:
    with pytest.raises(SettingError, match=f"^{setting} 'nothing': give one of {choices}"):
        load({setting: "nothing"})


@pytest.mark.parametrize(
    ("setting", "told", "words"),
    [
        ("refresh", "abc", "expected a number (seconds"),
        ("duration", "soon", "expected a number (leave"),
        ("samples", "7", "expected true or false (count"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(setting: str, told: str, words: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({setting: told})
    assert str(caught.value).startswith(f"{setting} '{told}': {words}")
