"""A MariaDB server as a separate process, which MySQL's clients and drivers use too."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.processes import DidNotStart, Missing, Service, free_ports


@dataclass(frozen=True)
class MariaDb:
    """A running server on the loopback. user: may do everything."""

    port: int
    user: str
    password: str
    socket: Path

    def sql(self, statements: str, database: str = "shop") -> str:
        """Runs statements as the system's account, and returns their rows as lines of values separated by tabs."""
        done = subprocess.run(
            [
                "mariadb",
                "--no-defaults",
                "-S",
                self.socket,
                "-u",
                "root",
                "-N",
                "-B",
                database,
                "-e",
                statements,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def running(log: Path) -> Iterator[MariaDb]:
    """Runs a server with an empty database `shop`, whose data are in a temporary folder. Raises Missing."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if program is None or install is None:
        raise Missing("MariaDB: mariadbd is not installed (apt-get install mariadb-server)")
    # Other users cannot access pytest's folders.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="goldsmith-mariadb-") as temporary:
        folder = Path(temporary)
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [
                *(install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"),
                *("--skip-test-db", "--innodb-log-file-size=8M"),
            ],
            user=user,
            cwd=folder,
            capture_output=True,
            check=True,
        )
        (port,) = free_ports(1)
        socket = folder / "socket"
        command = [program, "--no-defaults", f"--datadir={data}", f"--socket={socket}", f"--port={port}"]
        command += [
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-log-file-size=8M",
        ]
        command += [
            "--default-time-zone=+02:00",
            "--character-set-server=utf8mb4",
            f"--pid-file={folder / 'pid'}",
        ]
        service = Service("mariadb", command, dict(os.environ), log, port, user=user, folder=folder)
        with service.running():
            server = MariaDb(port, "shop", secrets.token_hex(16), socket)
            _await_queries(server, service)
            server.sql(
                f"CREATE DATABASE shop; CREATE USER shop@'127.0.0.1' IDENTIFIED BY '{server.password}'; "
                "GRANT SELECT ON shop.* TO shop@'127.0.0.1'",
                "mysql",
            )
            yield server


def _await_queries(server: MariaDb, service: Service) -> None:
    """Waits until the server accepts queries. Raises DidNotStart."""
    end = time.monotonic() + service.seconds
    while True:
        try:
            server.sql("SELECT 1", "mysql")
        except AssertionError as error:
            if time.monotonic() > end:
                raise DidNotStart(f"MariaDB takes no queries: {error}\n{service.log_tail()}") from None
            time.sleep(0.1)
        else:
            return
