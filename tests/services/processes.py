"""Servers as processes: start, wait until ready, stop, kill and restart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path


class Missing(Exception):  # noqa: N818 - why tests are skipped
    """A program that a service needs is missing. The message names it."""


class DidNotStart(Exception):  # noqa: N818
    """A service ended, or was not ready in time. The message has the end of its log."""


def free_ports(count: int) -> list[int]:
    """Unused ports of the loopback."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Service:
    """A server of the stack, on a port of the loopback."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        log: Path,
        port: int,
        *,
        seconds: float = 90,
        user: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = dict(environment)
        self.log = log
        self.port = port
        self.seconds = seconds
        self.user = user
        self.folder = folder or log.parent
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process without waiting for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self.user,
                cwd=self.folder,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Waits until the port accepts connections. Raises DidNotStart."""
        assert self.process is not None
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and self.process.poll() is None:
            if answers(self.port):
                return
            time.sleep(0.1)
        raise DidNotStart(f"{self.name} did not come up:\n{self.log_tail()}")

    def ended(self, seconds: float = 60) -> int:
        """Waits for the end of the process and returns its exit code."""
        assert self.process is not None
        return self.process.wait(seconds)

    def log_tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def kill(self) -> None:
        """kill -9 of the whole process group."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Terminates it, and kills it after ten seconds."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        for number in (how, signal.SIGKILL):
            if process.poll() is None:
                try:
                    # The process leads its own group: a worker's executors end with it.
                    os.killpg(process.pid, number)
                    process.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue

    @contextmanager
    def running(self) -> Iterator[Service]:
        self.start()
        try:
            self.wait()
            yield self
        finally:
            self.stop()


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
