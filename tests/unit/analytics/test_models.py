"""Cascade models in files: a user's own are read by the name of their file, and what is none is said in a sentence."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from liquake.analytics import models
from liquake.analytics.cascade import Model, encode
from liquake.cli import main
from liquake.errors import SettingError

NOTE = "fitted on a journal of our own"


@pytest.fixture
def mine() -> Model:
    model = models.shipped("simulated-60s-long")
    return msgspec.structs.replace(model, provenance=msgspec.structs.replace(model.provenance, note=NOTE))


def test_a_file_is_a_model_called_by_its_file(tmp_path: Path, mine: Model) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(encode(mine))
    assert models.read(file) == [msgspec.structs.replace(mine, name="mine")]


def test_a_folder_is_its_models_in_order_of_name(tmp_path: Path, mine: Model) -> None:
    for name in ("b.json", "a.json"):
        (tmp_path / name).write_bytes(encode(mine))
    (tmp_path / "notes.txt").write_text("no model")
    assert [model.name for model in models.read(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{}", "missing required field"),
        (b"not json", "malformed"),
        (b"\xff\xfe", "malformed"),
        (None, "No such file"),
    ],
)
def test_what_is_no_model_is_named_with_its_mend(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "odd.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError, match=rf"models '.*odd\.json': .*{why}.*`liquake fit`"):
        models.read(file)


def test_a_model_of_another_version_is_said_to_be_one(tmp_path: Path, mine: Model) -> None:
    file = tmp_path / "old.json"
    file.write_bytes(encode(msgspec.structs.replace(mine, weights=mine.weights[1:])))
    with pytest.raises(SettingError, match="its features are not those of this version: make it anew"):
        models.read(file)


def test_a_folder_without_models_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"holds no \.json file"):
        models.read(tmp_path)


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A liquidation a second for three minutes, and no settings but ours."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    rows = [f"{1_790_000_000_000 + 1000 * n},bybit,BTCUSDT,LONG,60000,0.5,30000" for n in range(180)]
    path = tmp_path / "recording.csv"
    path.write_text("\n".join(("ts_ms,venue,symbol,side,price,base_amount,usd", *rows)) + "\n")
    return path


def test_the_users_own_model_speaks_before_those_that_ship(
    recording: Path, mine: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recording.with_name("mine.json")
    file.write_bytes(encode(mine))
    arguments = ["replay", str(recording), "--speed", "max", "--plain", "--view", "risk"]
    assert main(arguments) == 0
    assert NOTE not in capsys.readouterr().out
    assert main([*arguments, "--models", str(file)]) == 0
    assert NOTE in capsys.readouterr().out
    monkeypatch.setenv("LIQUAKE_MODELS", str(file))
    assert main(arguments) == 0
    assert NOTE in capsys.readouterr().out


def test_a_file_that_is_no_model_ends_the_run_with_one_sentence(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(recording), "--plain", "--models", str(recording)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("liquake: models ")
    assert err.count("\n") == 1
