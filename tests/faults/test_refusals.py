"""What cannot be used is said in one sentence with its exit code, and left as it was."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import pytest

from liquake.storage.journal import Journal
from liquake.storage.schema import APPLICATION_ID
from tests.servers import Postgres, Valkey
from tests.unit.storage.events import liquidation


def answer(command: str, *arguments: str, full_at: int | None = None, **environment: str) -> tuple[int, str]:
    """The exit code of a command that comes to nothing, and the one sentence it says, without what stands before it."""
    code, sentence, _ = answered(command, *arguments, full_at=full_at, **environment)
    return code, sentence


def answered(command: str, *arguments: str, full_at: int | None = None, **environment: str) -> tuple[int, str, str]:
    """The same, and what went to standard output."""

    def limit() -> None:
        if full_at is not None:
            # SQLite meets a limit on file size as a full disk.
            resource.setrlimit(resource.RLIMIT_FSIZE, (full_at, full_at))

    done = subprocess.run(
        [sys.executable, "-m", "liquake", command, *arguments],
        env={**_environment(measured=full_at is None), "LIQUAKE_ENDPOINTS": "okx=http://127.0.0.1:9", **environment},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("liquake: ")
    assert "s3cret" not in done.stderr + done.stdout
    return done.returncode, lines[0].removeprefix("liquake: "), done.stdout


def _environment(*, measured: bool) -> dict[str, str]:
    """Ours; without what measures coverage, whose own file would not fit on a full disk either."""
    return {name: value for name, value in os.environ.items() if measured or not name.startswith("COVERAGE")}


def collect(journal: Path, full_at: int | None = None, **environment: str) -> tuple[int, str]:
    return answer("collect", "--exchanges", "okx", "--journal", str(journal), full_at=full_at, **environment)


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be taken for one " * 200)


def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")


def of_a_newer_liquake(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"CREATE TABLE events (a); PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version=99"
        )


def cut_short(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(2000)])
    path.write_bytes(path.read_bytes()[:9000])


DAMAGES = pytest.mark.parametrize(
    ("make", "said"),
    [
        (garbage, "it is not an SQLite database: give another path"),
        (of_another_program, "it is a database, but not a journal of liquake: give another path"),
        (of_a_newer_liquake, "a newer liquake wrote it (schema 99, this one knows 3): update, or give another path"),
        (cut_short, "it is damaged: move it away, and a new one is begun"),
    ],
)


@DAMAGES
def test_a_journal_that_cannot_be_written_is_left_as_it_is(
    make: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    make(path)
    before = path.read_bytes()
    assert collect(path) == (1, f"journal {path}: {said}")
    assert path.read_bytes() == before


@DAMAGES
def test_a_journal_that_cannot_be_read_gives_no_first_line_of_an_export(
    make: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    make(path)
    assert answered("export", "--journal", str(path)) == (1, f"journal {path}: {said}", "")


@DAMAGES
def test_doctor_says_that_a_journal_cannot_be_used(make: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    make(path)
    before = path.read_bytes()
    code, _, told = answered("doctor", "--exchanges", "okx", "--journal", str(path))
    assert code == 1
    assert f"journal {path}: {said}" in told
    assert path.read_bytes() == before


@pytest.mark.parametrize("make", [of_another_program, of_a_newer_liquake, cut_short, garbage])
@pytest.mark.parametrize("command", [["replay", "--speed", "max"], ["overview", "--plain", "--source"], ["score"]])
def test_a_recording_that_cannot_be_read_is_a_usage_error(
    make: Callable[[Path], None], command: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    make(path)
    code, sentence = answer(*command, str(path))
    assert (code, sentence.startswith(f"cannot read {path}: ")) == (2, True), sentence


def test_a_journal_into_which_nothing_was_collected_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch()
    assert answer("check", "--journal", str(path)) == (
        1,
        f"journal {path}: it is empty: `liquake collect` begins a journal there",
    )


def test_a_folder_in_which_nothing_can_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "journal.db"
    code, sentence = collect(path)
    assert (code, sentence.endswith("give a path in a folder of yours")) == (1, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in any folder")
def test_a_folder_without_the_right_to_write_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o500)
    code, sentence = collect(folder / "journal.db")
    assert (code, sentence.endswith("give a path in a folder of yours")) == (1, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
@pytest.mark.parametrize("lock", [lambda path: path, lambda path: path.parent])
def test_a_journal_without_the_right_to_read_it_is_said(lock: Callable[[Path], Path], tmp_path: Path) -> None:
    path = tmp_path / "theirs" / "journal.db"
    Journal(path).close()
    lock(path).chmod(0o000)
    try:
        for command in ("export", "check"):
            code, sentence = answer(command, "--journal", str(path))
            assert (code, sentence.startswith(f"journal {path}: it may not be read by this user")) == (1, True)
    finally:
        lock(path).chmod(0o700)


def test_a_disk_that_is_full_at_the_start_is_said_and_the_next_start_goes_well(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    code, sentence = collect(path, full_at=8192)
    assert code == 1
    assert sentence.startswith(f"journal {path}: the disk ")
    with Journal(path) as journal:
        journal.record([liquidation(1)])


def test_a_full_disk_leaves_no_half_an_export(tmp_path: Path) -> None:
    path, out = tmp_path / "journal.db", tmp_path / "out.csv"
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(2000)])
    code, sentence = answer("export", "--journal", str(path), "--output", str(out), full_at=40_000)
    assert code == 1
    assert sentence.startswith(f"cannot export {out}: ")
    assert sorted(tmp_path.glob("out*")) == []


def test_a_journal_that_another_collector_writes_is_named_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path):
        code, sentence = collect(path)
    assert code == 1
    assert f"another liquake writes it (process {os.getpid()})" in sentence


def test_a_journal_that_another_program_holds_locked_is_said(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, sentence = collect(path)
    assert (code, sentence) == (1, f"journal {path}: another program holds it locked: close that, and writing goes on")


@pytest.mark.parametrize(
    ("setting", "url", "mend"),
    [
        ("redis", "redis://:s3cret@host:port", "redis://user:password@host:6379/0"),
        ("redis", "amqp://:s3cret@host", "redis://user:password@host:6379/0"),
        ("redis", "redis://:s3cret/s3cret@host", "write / as %2F"),
        ("redis", "redis://:12/s3cret@host", "write / as %2F"),
        ("redis", "redis://:s3cret@[host", "redis://user:password@host:6379/0"),
        ("redis", "redis://host/desk", "redis://user:password@host:6379/0"),
        ("database", "postgresql://me:12/s3cret@host/name", "write / as %2F"),
        ("database", "postgresql://me:12#s3cret@host/name", "write / as %2F"),
        ("database", "postgresql://me:s3cret@[host/name", "give an address like postgresql://"),
        ("database", "postgresql://me:s3cret@host", "give an address like postgresql://"),
        ("database", "mysql://me:s3cret@host/name", "give an address like postgresql://"),
    ],
)
def test_an_address_that_cannot_be_is_a_usage_error(setting: str, url: str, mend: str, tmp_path: Path) -> None:
    told = {f"LIQUAKE_{setting.upper()}": url}
    code, sentence = answer("collect", "--journal", str(tmp_path / "j.db"), full_at=None, **told)
    assert code == 2
    assert sentence.startswith(f"{setting} '")
    assert mend in sentence


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--exchanges", "okkx"], "unknown exchange 'okkx'"),
        (["--symbols", "?!"], "unknown symbol '?!'"),
        (["--from", "2025-10-11", "--to", "2025-10-10"], "--to '2025-10-10': give a time after --from 2025-10-11"),
        (["--from", "yesterday"], "--from 'yesterday': give a date or time like"),
    ],
)
def test_what_an_export_could_only_be_empty_of_is_a_usage_error(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    Journal(path).close()
    code, sentence = answer("export", "--journal", str(path), *arguments)
    assert (code, sentence.startswith(said)) == (2, True), sentence


def test_check_says_that_an_address_cannot_be_before_it_reads_anything(tmp_path: Path) -> None:
    garbage(tmp_path / "j.db")
    code, sentence = answer(
        "check", "--journal", str(tmp_path / "j.db"), LIQUAKE_DATABASE="mysql://me:s3cret@host/name"
    )
    assert (code, sentence.startswith("database 'mysql://me@host/name': ")) == (2, True)


def test_a_source_that_is_no_redis_is_a_usage_error() -> None:
    code, sentence = answer("overview", "--plain", "--source", "postgresql://me:s3cret@host/name")
    assert (code, sentence.startswith("source 'postgresql://me@host/name': ")) == (2, True)


@contextmanager
def valkey(folder: Path, *options: str) -> Iterator[Valkey]:
    server = Valkey(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("scripts", ["", " +@scripting"])
def test_a_redis_that_lets_us_in_but_not_write_is_said_at_the_start(scripts: str, tmp_path: Path) -> None:
    reader = "reader on >s3cret +@read +@connection +info ~*" + scripts
    with valkey(tmp_path, "--user", *reader.split()) as server:
        url = f"redis://reader:s3cret@127.0.0.1:{server.port}"
        code, sentence = collect(tmp_path / "j.db", LIQUAKE_REDIS=url)
    assert (code, "this user may not do that" in sentence) == (1, True)


@pytest.mark.parametrize("url", ["redis://:s3cret@127.0.0.1:{}", "redis://nobody:s3cret@127.0.0.1:{}"])
def test_a_wrong_password_of_redis_is_said(url: str, tmp_path: Path) -> None:
    with valkey(tmp_path, "--requirepass", "right") as server:
        code, sentence = collect(tmp_path / "j.db", LIQUAKE_REDIS=url.format(server.port))
        attached, said = answer("overview", "--plain", "--source", url.format(server.port))
    assert (code, attached) == (1, 1)
    for words in (sentence, said):
        assert "wrong user or password" in words
        assert "correct the URL" in words


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL with a user `guest`, who needs a password and may connect."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    rules = server.folder / "data" / "pg_hba.conf"
    rules.write_text("host all guest 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    server.start()
    asyncio.run(_told(server.url, "CREATE ROLE guest LOGIN PASSWORD 'right'"))
    yield server
    server.stop()


async def _told(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("user", "name", "words"),
    [
        ("guest:s3cret", "postgres", "correct user and password in the URL"),
        ("guest:right", "postgres", "grant this user"),
        ("postgres", "nowhere", "create it, or correct the URL"),
    ],
)
def test_a_database_that_does_not_let_us_in_is_said(
    user: str, name: str, words: str, postgres: Postgres, tmp_path: Path
) -> None:
    url = f"postgresql://{user}@127.0.0.1:{postgres.port}/{name}"
    code, sentence = collect(tmp_path / "j.db", LIQUAKE_DATABASE=url)
    assert (code, words in sentence) == (1, True), sentence
    assert "right" not in sentence.replace("rights", "")


def test_a_database_of_a_newer_liquake_is_left_as_it_is(postgres: Postgres, tmp_path: Path) -> None:
    newer = (
        "CREATE SCHEMA liquake",
        "CREATE TABLE liquake.schema (version int PRIMARY KEY, layout text NOT NULL, applied timestamptz)",
        "INSERT INTO liquake.schema VALUES (99, 'PostgreSQL without TimescaleDB', now())",
    )
    asyncio.run(_told(postgres.url, *newer))
    try:
        code, sentence = collect(tmp_path / "j.db", LIQUAKE_DATABASE=postgres.url)
    finally:
        asyncio.run(_told(postgres.url, "DROP SCHEMA liquake CASCADE"))
    assert (code, "update liquake" in sentence) == (1, True)
