"""The webhook address in the server's settings, written at the start of its container."""

from __future__ import annotations

import os
import runpy
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.dqops_model import Check, Dqops

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docker/dqops-start.py"
SETTINGS = "settings/defaultnotifications.dqonotifications.yaml"
ADDRESS = "https://hooks.example/T0/B0?key=a:b#1"
KEYS = ("incident_opened_addresses", "incident_resolved_addresses")
BOTH = dict.fromkeys(KEYS, ADDRESS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The committed user home's connection, without settings."""
    connection = "sources/lakehouse/connection.dqoconnection.yaml"
    folder = tmp_path / "userhome"
    (folder / connection).parent.mkdir(parents=True)
    (folder / connection).write_text((ROOT / "dqops_userhome" / connection).read_text())
    return folder


def start(home: Path, address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the container's script, with `env` as the image's start script."""
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={
            "PATH": os.environ["PATH"],
            "DQO_USER_HOME": str(home),
            "DQOPS_WEBHOOK": address,
            "DQOPS_START": "/usr/bin/env",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )


def settings(home: Path) -> dict[str, Any]:
    document = yaml.safe_load((home / SETTINGS).read_text())
    assert (document["apiVersion"], document["kind"]) == ("dqo/v1", "default_notifications")
    found: dict[str, Any] = document["spec"]
    return found


def put(home: Path, text: str) -> None:
    (home / "settings").mkdir(exist_ok=True)
    (home / SETTINGS).write_text(
        f"# the server's header\napiVersion: dqo/v1\nkind: default_notifications\n{text}"
    )


def test_opened_and_resolved_incidents_are_posted_to_the_address(home: Path) -> None:
    server = Dqops("2026-11-21", {"silver.orders": [Check("daily_row_count", 2)]}, home=home)
    start(home, ADDRESS)
    server.run("silver.orders")
    server.answer(
        "POST", f"/api/incidents/lakehouse/2026/11/{server.incidents[0].id}/status?status=resolved", None
    )
    assert server.posted == [(ADDRESS, "open"), (ADDRESS, "resolved")]


def test_without_an_address_nothing_is_posted(home: Path) -> None:
    server = Dqops("2026-11-21", {"silver.orders": [Check("daily_row_count", 2)]}, home=home)
    start(home, "")
    server.run("silver.orders")
    assert server.incidents
    assert server.posted == []
    assert not (home / SETTINGS).exists()


def test_address_is_replaced_or_removed(home: Path) -> None:
    start(home, ADDRESS)
    assert settings(home) == BOTH
    start(home, "https://other.example")
    assert settings(home) == dict.fromkeys(KEYS, "https://other.example")
    start(home, "")
    assert settings(home) == {}


@pytest.mark.parametrize(
    "written",
    [
        "spec:\n  incident_opened_addresses: {0}\n  incident_resolved_addresses: '{0}'\n",
        'spec:\n    incident_resolved_addresses: "{0}"\n    incident_opened_addresses: "{0}"\n',
    ],
)
def test_address_rewritten_by_the_server_is_recognized(home: Path, written: str) -> None:
    """The server's console formats the file differently."""
    start(home, ADDRESS)
    put(home, written.format(ADDRESS))
    start(home, "https://other.example")
    assert settings(home) == dict.fromkeys(KEYS, "https://other.example")


OWN = """\
spec:
  # mine
  incident_opened_addresses: team@example.org
  filtered_notifications:
    urgent:
      filter: {schema: gold}
      target:
        incident_opened_addresses: https://urgent.example
"""


def test_manually_entered_addresses_are_kept(home: Path) -> None:
    put(home, OWN)
    before = settings(home)
    start(home, ADDRESS)
    assert settings(home) == {**before, "incident_resolved_addresses": ADDRESS}
    assert "# mine" in (home / SETTINGS).read_text()
    start(home, "")
    assert settings(home) == before


@pytest.mark.parametrize("empty", ["spec: {}\n", "spec:\n", "spec: null\n", "spec:\n  # nothing yet\n"])
def test_address_is_added_to_existing_settings(home: Path, empty: str) -> None:
    put(home, empty)
    start(home, ADDRESS)
    assert settings(home) == BOTH
    assert (home / SETTINGS).read_text().startswith("# the server's header\n")


def test_address_of_a_connection_takes_precedence(home: Path) -> None:
    file = home / "sources/lakehouse/connection.dqoconnection.yaml"
    document = yaml.safe_load(file.read_text())
    document["spec"]["incident_grouping"]["incident_notification"] = {KEYS[0]: "https://mine.example"}
    file.write_text(yaml.safe_dump(document))
    start(home, ADDRESS)
    server = Dqops("2026-11-21", {"silver.orders": [Check("daily_row_count", 2)]}, home=home)
    server.run("silver.orders")
    assert server.posted == [("https://mine.example", "open")]


@pytest.mark.parametrize(
    "text", ["spec: {incident_opened_addresses: x}\n", "", 'spec:\n  incident_opened_addresses: "a\\\n']
)
def test_server_starts_with_unreadable_settings_unchanged(home: Path, text: str) -> None:
    put(home, text)
    before = (home / SETTINGS).read_text()
    ended = start(home, ADDRESS)
    assert "Incidents are not posted to DQOPS_WEBHOOK" in ended.stderr
    assert (home / SETTINGS).read_text() == before
    assert "DQO_USER_HOME=" in ended.stdout


def test_settings_are_readable_by_the_owner_only(home: Path) -> None:
    """The address is a secret: it permits posting."""
    ended = start(home, ADDRESS)
    assert "hooks.example" not in ended.stdout + ended.stderr
    holders = [file for file in home.rglob("*") if file.is_file() and "hooks.example" in file.read_text()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in holders} == {0o600}
    ignored = (ROOT / "dqops_userhome/.gitignore").read_text().splitlines()
    assert {"/settings", "/.goldsmith-*", "/rules/requirements.txt"} <= set(ignored)
    assert {file.relative_to(home).parts[0] for file in holders} == {"settings", ".goldsmith-webhook"}


def test_server_receives_its_arguments_and_signals(home: Path, tmp_path: Path) -> None:
    """The script is replaced by the image's start script, which handles the container's signals."""
    script = tmp_path / "start.sh"
    script.write_text('#!/bin/sh\necho "$$ $*"\n')
    script.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "DQO_USER_HOME": str(home), "DQOPS_START": str(script)}
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--silent", "run"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.communicate()[0] == f"{process.pid} --silent run\n"


def test_compose_file_starts_the_server_with_this_script() -> None:
    text = (ROOT / "docker-compose.yaml").read_text()
    service = yaml.safe_load(text)["services"]["dqops"]
    assert service["entrypoint"][-1] == f"/init/{SCRIPT.name}"
    assert "./docker:/init:ro" in service["volumes"]
    # The start script of the pinned image, from its Dockerfile.
    default = service["environment"]["DQOPS_START"].partition(":-")[2].removesuffix("}")
    assert repr(default)[1:-1] in SCRIPT.read_text()


def test_links_in_messages_use_the_console_address() -> None:
    """Links of Airflow's tasks and of jobs use it too."""
    texts = [
        yaml.safe_load((ROOT / name).read_text())
        for name in ("docker-compose.yaml", "docker-compose-airflow.yaml")
    ]
    services = texts[0]["services"]
    (port,) = services["dqops-proxy"]["ports"]
    host, published = port.split(":", 1)[0], port.split(":", 1)[1].rpartition(":")[0]
    wanted = f"${{DQOPS_CONSOLE_URL:-http://{host}:{published}}}"
    assert services["dqops"]["environment"]["DQO_INSTANCE_RETURN_BASE_URL"] == wanted
    assert services["jobs"]["environment"]["DQOPS_CONSOLE_URL"] == wanted
    assert texts[1]["x-settings"]["DQOPS_CONSOLE_URL"] == wanted


def test_address_with_quotes_is_written_unchanged() -> None:
    addressed = runpy.run_path(str(SCRIPT))["addressed"]
    text = addressed("spec: {}\n", 'https://x.example/"a"', "")
    assert yaml.safe_load(text)["spec"][KEYS[0]] == 'https://x.example/"a"'
    assert addressed(text, "", 'https://x.example/"a"') == "spec: {}\n"
