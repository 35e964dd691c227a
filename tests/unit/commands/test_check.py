from __future__ import annotations

import json
import sqlite3
import sys
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


def test_what_could_be_read_of_a_damaged_journal_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(5000)])
    content = bytearray(path.read_bytes())
    content[8 * 4096 : -4096] = b"\xaa" * (len(content) - 9 * 4096)
    path.write_bytes(content)
    code, text = answer(capsys, "--journal", str(path))
    lines = text.splitlines()
    assert code == 1
    assert [line for line in lines if line.startswith("ok    journal   schema")]
    assert [line for line in lines if line.startswith("WRONG journal   file")]
    assert [line for line in lines if line.startswith("WRONG journal   coverage")]
    assert lines[-1].endswith("findings are wrong")


def test_on_a_terminal_it_says_what_it_looks_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(tmp_path / "j.db").close()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["check", "--journal", str(tmp_path / "j.db")]) == 0
    captured = capsys.readouterr()
    assert "checking" in captured.err
    assert "checking" not in captured.out
