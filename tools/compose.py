"""Runs docker compose with the repository's files, or reports what is missing. Usage: compose.py ARGUMENTS...

`compose.py up` also checks for ports in use, pulls, builds, waits until all services are healthy, and prints the addresses.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import images
from waiting import watched

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (2, 20)
WAIT_SECONDS = 600
NOT_READY = 4


class NotReadyError(Exception):
    """The machine is not ready for the containers. The message says what to do."""


@dataclass(frozen=True)
class Port:
    """A published port of a service. page: the description for the user. profile: required for the service."""

    variable: str
    default: int
    service: str
    page: str
    profile: str = ""


PORTS = (
    Port(
        "THRIFT_PORT",
        10000,
        "thrift-server",
        "SQL: jdbc:hive2://127.0.0.1:{port}, as engineer (THRIFT_ENGINEER_PASSWORD)",
    ),
    Port("S3_PORT", 9000, "minio", "S3: http://127.0.0.1:{port}", "store"),
    Port(
        "S3_CONSOLE_PORT", 9001, "minio", "S3's console: http://127.0.0.1:{port}, as STORE_ROOT_USER", "store"
    ),
    Port("MASTER_UI_PORT", 8080, "spark-master", "Spark's master: http://127.0.0.1:{port}"),
    Port(
        "HISTORY_PORT",
        18080,
        "history",
        "Spark's history, finished jobs: http://127.0.0.1:{port}",
        "history",
    ),
    Port(
        "AIRFLOW_PORT",
        8081,
        "airflow-api",
        "Airflow: http://127.0.0.1:{port}, as admin (AIRFLOW_ADMIN_PASSWORD)",
    ),
    Port(
        "SUPERSET_PORT",
        8088,
        "superset",
        "Superset: http://127.0.0.1:{port}, as admin or analyst",
        "superset",
    ),
    Port("REPORT_PORT", 8089, "reports", "Report: http://127.0.0.1:{port}, as report (REPORT_PASSWORD)"),
    Port("DQOPS_PORT", 8888, "dqops-proxy", "DQOps: http://127.0.0.1:{port}, as dqops", "dqops"),
)
AIRFLOW_FILE = "docker-compose-airflow.yaml"
OVERRIDE_FILE = "docker-compose.override.yaml"
PUSH = "superset-push"
"""A one-off service: `up --wait` would treat its exit as a failure."""


def command() -> list[str]:
    """The command line of compose. Raises NotReadyError without Docker, its engine, or a recent compose."""
    docker = shutil.which("docker")
    if docker is None:
        raise NotReadyError("Docker is not installed: https://docs.docker.com/engine/install/")
    engine = _output([docker, "info", "--format", "{{.ServerVersion}}"])
    if engine.returncode != 0:
        reason = (engine.stderr or engine.stdout).strip().splitlines()[-1:]
        if "permission denied" in engine.stderr:
            raise NotReadyError(
                "No permission for Docker's engine: join the group `docker`, and log in again."
            )
        raise NotReadyError(
            f"Docker's engine is not running ({''.join(reason)}): `sudo systemctl start docker`, or start Docker Desktop."
        )
    found = []
    for candidate in ([docker, "compose"], [shutil.which("docker-compose") or ""]):
        version = _version(candidate) if candidate[0] else None
        if version is not None and version >= OLDEST:
            return candidate
        if version is not None:
            found.append(".".join(map(str, version)))
    if found:
        raise NotReadyError(
            f"Docker Compose is {found[0]}; 2.20 or later is needed: https://docs.docker.com/compose/install/"
        )
    raise NotReadyError("Docker Compose is not installed: https://docs.docker.com/compose/install/")


def _version(compose: Sequence[str]) -> tuple[int, int] | None:
    ended = _output([*compose, "version", "--short"])
    found = re.match(r"v?(\d+)\.(\d+)", ended.stdout.strip())
    return (int(found[1]), int(found[2])) if ended.returncode == 0 and found else None


def _output(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)


def dotenv(file: Path) -> dict[str, str]:
    """The settings in .env. Raises NotReadyError if it does not exist."""
    if not file.is_file():
        raise NotReadyError(f"{file.name} is missing: create it with `make env`.")
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("'\"") for key, _, value in pairs}


def files(settings: Mapping[str, str], folder: Path) -> list[str]:
    """The --file options of compose: Airflow's file, which includes the other, and the override; none with COMPOSE_FILE."""
    if settings.get("COMPOSE_FILE"):
        return []
    names = [AIRFLOW_FILE, *([OVERRIDE_FILE] if (folder / OVERRIDE_FILE).is_file() else [])]
    return [word for name in names for word in ("--file", name)]


def with_airflow(settings: Mapping[str, str]) -> bool:
    """Whether Airflow is started."""
    return AIRFLOW_FILE in (settings.get("COMPOSE_FILE") or AIRFLOW_FILE)


def profiles(settings: Mapping[str, str]) -> frozenset[str]:
    """The enabled profiles of optional services."""
    return frozenset(name.strip() for name in settings.get("COMPOSE_PROFILES", "").split(",")) - {""}


def ports(settings: Mapping[str, str]) -> dict[Port, int]:
    """The published ports of the enabled services."""
    on, airflow = profiles(settings), with_airflow(settings)
    return {
        port: int(settings.get(port.variable) or port.default)
        for port in PORTS
        if (not port.profile or port.profile in on) and (airflow or port.service != "airflow-api")
    }


def check_gates(settings: Mapping[str, str]) -> None:
    """Raises NotReadyError if Airflow's gates need a DQOps server or a triggerer that is not started."""
    if "//dqops:" in settings.get("DQOPS_URL", "") and "dqops" not in profiles(settings):
        raise NotReadyError(
            "Airflow's gates would wait for DQOps, which is not in COMPOSE_PROFILES in .env: set `DQOPS_URL=` there,"
            " or add `dqops` to the profiles."
        )
    if settings.get("DQOPS_URL", "") and not {"dqops", "triggerer"} & profiles(settings):
        raise NotReadyError(
            "Airflow's gates wait in the triggerer, which is not started: add `triggerer` to COMPOSE_PROFILES in .env, or"
            " set `DQOPS_URL=` there."
        )


def in_use(number: int) -> bool:
    """Whether a port of the loopback is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return True
    return False


def check_ports(wanted: Mapping[Port, int], own: frozenset[int]) -> None:
    """Raises NotReadyError if a port is in use by anything but our own containers."""
    problems = [
        f"Port {number} is in use, and {port.service} needs it: stop the program that uses it, or set {port.variable}"
        " in .env."
        for port, number in wanted.items()
        if number not in own and in_use(number)
    ]
    if problems:
        raise NotReadyError("\n".join(problems))


def published(compose: Sequence[str]) -> frozenset[int]:
    """The ports published by our running containers."""
    output = _output([*compose, "ps", "--format", "json"]).stdout
    # Older versions print one list, newer ones one object per line.
    read = (
        json.loads(output) if output.startswith("[") else [json.loads(line) for line in output.splitlines()]
    )
    return frozenset(
        publisher["PublishedPort"] for each in read for publisher in each.get("Publishers") or () if publisher
    )


def up(compose: Sequence[str], settings: Mapping[str, str]) -> int:
    """Pulls, builds, starts, waits, and prints the progress. Returns the exit code."""
    check_gates(settings)
    wanted = ports(settings)
    check_ports(wanted, published(compose))
    services = images.configuration(compose)
    images.pull(shutil.which("docker") or "docker", images.public(services))
    built = images.build(compose, images.own(services))
    if built != 0:
        return built
    quiet = [*compose, "--progress", "quiet"]
    dashboards = "superset" in profiles(settings)
    later = ["--scale", f"{PUSH}=0"] if dashboards else []
    print("Starting the containers.", flush=True)
    words = [*quiet, "up", "--detach", "--wait", "--wait-timeout", str(WAIT_SECONDS), *later]
    started = watched(words, lambda: waiting_for(_states(compose)))
    if started.code != 0:
        print(unhealthy(_states(compose)), file=sys.stderr)
        return started.code
    print(f"  healthy after {started.seconds:.0f} s", flush=True)
    if dashboards:
        print("Pushing the dashboards to Superset.", flush=True)
        pushed = subprocess.run([*quiet, "run", "--rm", "--no-deps", "-T", PUSH], check=False).returncode
        if pushed != 0:
            print(
                "The dashboards were not pushed to Superset; all other services are running.", file=sys.stderr
            )
            return pushed
    print(summary(wanted))
    return 0


def _states(compose: Sequence[str]) -> list[tuple[str, str]]:
    """Each container's service and status, as printed by `docker compose ps`."""
    output = _output([*compose, "ps", "--all", "--format", "{{.Service}}\t{{.Status}}"]).stdout
    pairs = (line.partition("\t") for line in output.splitlines() if "\t" in line)
    return [(service, status) for service, _, status in pairs]


def _is_ready(status: str) -> bool:
    return "(healthy)" in status or "Exited (0)" in status


def waiting_for(states: Sequence[tuple[str, str]]) -> str:
    """The services that are not ready yet; empty without containers."""
    names = sorted({service for service, status in states if not _is_ready(status)})
    return f"waiting for {', '.join(names)}" if names else ""


def unhealthy(states: Sequence[tuple[str, str]]) -> str:
    """The services that are not ready, with the command that shows their logs."""
    lines = [
        f"  {service}: {status} - `make logs S={service}`"
        for service, status in sorted(states)
        if not _is_ready(status)
    ]
    return "\n".join(["Some services are not healthy:", *lines])


def summary(wanted: Mapping[Port, int]) -> str:
    """The addresses of the services, and the file of the passwords."""
    lines = [f"  {port.page.format(port=number)}" for port, number in wanted.items()]
    return "\n".join(
        [
            "The lake is up.",
            *lines,
            "Keys and passwords are in .env. A job: `make submit JOB=examples/rows.py`; SQL: `make sql Q='SHOW TABLES'`.",
        ]
    )


def main() -> int:
    """Runs compose with the arguments; returns its exit code, or 4 if this machine is not ready."""
    words = sys.argv[1:]
    # Compose looks here for its files, including an override, and for .env.
    os.chdir(ROOT)
    try:
        compose = command()
        settings = {**dotenv(ROOT / ".env"), **os.environ}
        compose += files(settings, ROOT)
        if words != ["up"]:
            return subprocess.run([*compose, *words], check=False).returncode
        return up(compose, settings)
    except (NotReadyError, images.ImageMissingError) as missing:
        print(missing, file=sys.stderr)
        return NOT_READY
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
