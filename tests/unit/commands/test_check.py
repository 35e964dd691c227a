from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from liquake.cli import main
from liquake.storage.journal import Journal
from tests.servers import free_port
from tests.unit.storage.events import liquidation


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["check", *arguments])
    return code, capsys.readouterr().out


def test_what_is_wrong_is_in_the_table_in_the_json_and_in_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(3)])
    code, text = answer(capsys, "--journal", str(path))
    assert (code, text.splitlines()[-1].startswith("all ")) == (0, True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE hours SET usd = usd + 1")
        connection.commit()
    code, text = answer(capsys, "--journal", str(path))
    assert code == 1
    assert any(line.startswith("WRONG journal   sums") for line in text.splitlines())
    code, text = answer(capsys, "--journal", str(path), "--json")
    assert code == 1
    assert {finding["rule"] for finding in json.loads(text) if not finding["ok"]} == {"sums", "rows and dollars"}


def test_a_store_that_does_not_answer_is_wrong_and_the_others_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal.db"
    Journal(path).close()
    url = f"redis://:s3cret@127.0.0.1:{free_port()}"
    code, text = answer(capsys, "--journal", str(path), "--redis", url, "--json")
    ((tier, rule, detail),) = [
        (finding["tier"], finding["rule"], finding["detail"]) for finding in json.loads(text) if not finding["ok"]
    ]
    assert (code, tier, rule) == (1, "redis", "answers")
    assert "does not answer" in detail
    assert "s3cret" not in text
