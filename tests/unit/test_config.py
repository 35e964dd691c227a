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
