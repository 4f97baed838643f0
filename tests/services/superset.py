"""A real Superset as a process, on SQLite, in the environment created by `make superset-env`."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from goldsmith.publish.superset.client import Server, SupersetClient
from services.processes import Missing, Service, free_ports

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-superset"
SCRIPT = ROOT / "superset" / "bin" / "superset.sh"


@dataclass(frozen=True)
class Superset:
    """A running server. server: its address and administrator."""

    server: Server
    service: Service

    def admin(self) -> SupersetClient:
        return SupersetClient(self.server)


@contextmanager
def running(folder: Path) -> Iterator[Superset]:
    """Runs an empty Superset. Raises Missing without its environment."""
    if not (ENVIRONMENT / "bin" / "superset").is_file():
        raise Missing("no .venv-superset: create it with `make superset-env`")
    (port,) = free_ports(1)
    password = secrets.token_urlsafe(16)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("SUPERSET_", "PYTHON"))},
        "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SUPERSET_SECRET_KEY": secrets.token_urlsafe(48),
        "SUPERSET_DB_URI": f"sqlite:///{folder / 'superset.db'}",
        "SUPERSET_ADMIN_PASSWORD": password,
        "SUPERSET_HOME": str(folder),
        "SUPERSET_PORT": str(port),
    }
    made = subprocess.run(
        [SCRIPT, "init"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert made.returncode == 0, made.stderr[-3000:]
    service = Service("superset", [SCRIPT, "serve"], environment, folder / "superset.log", port, seconds=180)
    with service.running():
        yield Superset(Server(f"http://127.0.0.1:{port}", "admin", password), service)
