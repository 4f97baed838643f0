"""The compose files and the tools around them, without Docker."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
# compose.py imports modules of its own folder.
sys.path.insert(0, str(TOOLS))
TEXTS = [
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("docker-compose.yaml", "docker-compose-airflow.yaml")
]
TEXT = "\n".join(TEXTS)
LAKE, AIRFLOW = (yaml.safe_load(text)["services"] for text in TEXTS)
SERVICES: dict[str, Any] = LAKE | AIRFLOW
ONE_SHOT = {name for name, service in SERVICES.items() if service["restart"] == "no"}
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(:?[-?]?)([^}]*)\}")


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOOLS / script), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_services_are_limited_pinned_and_published_on_loopback(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["networks"] == ["lake"]
    assert "env_file" not in service, "a service is given the secrets that it needs, and no others"
    tag = VARIABLE.sub(lambda found: found[3], service["image"]).rpartition(":")[2]
    assert re.search(r"\d", tag), "the image's tag is a version"
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:${"), f"{port} is open to others, or cannot be changed"


CAPABILITIES = {
    # Changes the owner of the folder to the store's user, once.
    "store-folder": {"CHOWN", "DAC_OVERRIDE"},
    # Starts as root, changes the owner of the folder to its user, and switches to that user.
    "postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"},
    "dqops": {"DAC_OVERRIDE"},
}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_services_have_only_required_capabilities(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", [])) == CAPABILITIES.get(name, set())


def test_metastore_accepts_only_containers() -> None:
    assert LAKE["metastore"]["environment"]["METASTORE_PEERS"] == "network"
    # The entry point's own command: the default gateway, decoded from the kernel's hexadecimal.
    entrypoint = (ROOT / "spark" / "entrypoint.sh").read_text(encoding="utf-8")
    found = re.search(r"METASTORE_GATEWAY=(\$\(printf .+\))$", entrypoint, re.MULTILINE)
    assert found is not None
    words = ["bash", "-c", f"gateway=010012AC; echo {found[1]}"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "172.18.0.1\n"


def test_store_runs_unprivileged_after_its_folder_is_prepared() -> None:
    user, _, group = LAKE["minio"]["user"].partition(":")
    assert user == group != "0"
    assert LAKE["store-folder"]["entrypoint"] == ["sh", "/init/store-folder.sh", user]
    waited = LAKE["minio"]["depends_on"]["store-folder"]
    assert waited == {"condition": "service_completed_successfully"}


def test_owner_of_the_stores_folder_is_changed_once(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    program(tmp_path / "bin", "chown", f'echo "$@" >>{calls}')
    program(tmp_path / "bin", "ls", "echo drwxr-xr-x 3 $OWNER $OWNER 60 Jan 1 00:00 /data")

    def changed(owner: str) -> str:
        calls.write_text("")
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        words = ["sh", str(ROOT / "docker" / "store-folder.sh"), "10003"]
        subprocess.run(words, env={"PATH": path, "OWNER": owner}, capture_output=True, check=True)
        return calls.read_text()

    assert changed("0").endswith("10003:10003 /data\n")
    assert changed("10003") == ""


VOLUMES = {"S3_IMAGE": "/data", "POSTGRES_IMAGE": "/var/lib/postgresql/data"}
"""Volumes declared by the images. Docker creates an anonymous volume without a mount there."""


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_services_create_no_anonymous_volume(name: str) -> None:
    mounts = SERVICES[name].get("volumes", [])
    targets = {each["target"] if isinstance(each, dict) else each.split(":")[1] for each in mounts}
    for image, folder in VOLUMES.items():
        if image in SERVICES[name]["image"]:
            assert folder in targets


def test_serving_key_can_only_read_the_warehouse() -> None:
    policy = json.loads((ROOT / "docker" / "policy-serving.json").read_text(encoding="utf-8"))
    allowed = {action: statement for statement in policy["Statement"] for action in statement["Action"]}
    assert allowed.keys() == {"s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject"}
    assert allowed["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": ["warehouse/*"]}}
    assert allowed["s3:GetObject"]["Resource"] == ["arn:aws:s3:::lake/warehouse/*"]


def test_superset_pages_request_no_other_host_except_map_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SUPERSET_SECRET_KEY", "x")
    monkeypatch.setenv("SUPERSET_DB_URI", "sqlite://")
    settings = runpy.run_path(str(ROOT / "superset" / "superset_config.py"))
    assert settings["TALISMAN_ENABLED"] is True
    policy = settings["TALISMAN_CONFIG"]["content_security_policy"]
    foreign = {word for words in policy.values() for word in words if "." in word or word == "*"}
    assert foreign == {"https://tile.openstreetmap.org"}
    assert policy["default-src"] == ["'self'"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_servers_have_health_checks_and_restart(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


OPTIONAL = {"SUPERSET_PREVIOUS_SECRET_KEY"}
"""Optional secrets."""


def test_secrets_have_no_defaults() -> None:
    for name, kind, default in VARIABLE.findall(TEXT):
        if re.search(r"PASSWORD|SECRET|_KEY$|ROOT_USER", name):
            wanted = (":-", "") if name in OPTIONAL else (":?", "run `make env` first")
            assert (kind, default) == wanted, f"{name} must be set"


def test_secrets_are_passed_only_where_needed() -> None:
    def holders(word: str) -> set[str]:
        return {name for name, service in SERVICES.items() if word in str(service.get("environment", ""))}

    assert holders("STORE_ROOT_PASSWORD") == {"minio", "store-init"}
    assert holders("POSTGRES_PASSWORD") == {"postgres", "database-init", "airflow-database"}
    assert holders("AIRFLOW_ADMIN_PASSWORD") == {"airflow-api"}
    assert holders("SUPERSET_SECRET_KEY") == {"superset-init", "superset"}
    assert holders("SUPERSET_ADMIN_PASSWORD") == {"superset-init", "superset-push"}
    assert holders("SUPERSET_ANALYST_PASSWORD") == {"superset-init"}
    assert holders("{DQOPS_PASSWORD") == {"dqops-proxy"}
    assert holders("SPARK_AUTH_SECRET") == {
        "spark-master",
        "spark-worker",
        "thrift-server",
        "jobs",
        "airflow-scheduler",
    }
    assert holders("THRIFT_ENGINEER_PASSWORD") == {"thrift-server", "jobs"}
    assert holders("THRIFT_ANALYST_PASSWORD") == {"thrift-server", "superset-push"}
    assert holders("THRIFT_DQOPS_PASSWORD") == {"thrift-server", "dqops"}
    assert holders("REPORT_PASSWORD") == {"reports"}
    assert "JOBS_S3" not in str(SERVICES["thrift-server"]), "what serves cannot write"
    assert {name for name in AIRFLOW if "JOBS_S3" in str(AIRFLOW[name])} == {"airflow-scheduler"}


def test_compose_files_form_one_project_without_common_names() -> None:
    lake, airflow = (yaml.safe_load(text) for text in TEXTS)
    assert lake["name"] == airflow["name"]
    assert airflow["include"] == ["docker-compose.yaml"]
    assert not set(LAKE) & set(AIRFLOW)


def test_airflow_mounts_the_declarations_read_only() -> None:
    for name in ("airflow-scheduler", "airflow-dag-processor"):
        mounts = [volume.split(":") for volume in AIRFLOW[name]["volumes"]]
        own = {source.removeprefix("./"): rest for source, *rest in mounts if source.startswith("./")}
        assert own == {
            part: [f"/opt/goldsmith/{part}", "ro"]
            for part in ("airflow", "goldsmith.yaml", "pipelines", "jobs", "dqops_userhome")
        }


def test_services_of_make_up_can_be_selected(tmp_path: Path) -> None:
    files, ports = (runpy.run_path(str(TOOLS / "compose.py"))[name] for name in ("files", "ports"))
    assert files({}, tmp_path) == ["--file", "docker-compose-airflow.yaml"]
    (tmp_path / "docker-compose.override.yaml").touch()
    assert files({}, tmp_path)[2:] == ["--file", "docker-compose.override.yaml"]
    alone = {"COMPOSE_FILE": "docker-compose.yaml"}
    assert files(alone, tmp_path) == []
    assert {port.service for port in ports(alone)} == {"thrift-server", "spark-master", "reports"}
    assert "airflow-api" in {port.service for port in ports({})}


def test_services_without_login_are_not_published() -> None:
    published = {name for name, service in SERVICES.items() if service.get("ports")}
    assert published == {
        *("minio", "spark-master", "history", "thrift-server", "superset", "dqops-proxy", "airflow-api"),
        "reports",
    }


def test_job_report_is_kept_and_served_behind_the_login() -> None:
    jobs, reports = SERVICES["jobs"], SERVICES["reports"]
    folder = jobs["environment"]["GOLDSMITH_REPORT_FILE"].rpartition("/")[0]
    assert f"reports:{folder}" in jobs["volumes"]
    assert "reports:/reports:ro" in reports["volumes"]
    assert "auth_basic_user_file" in (ROOT / "docker/reports.conf").read_text(encoding="utf-8")
    address = jobs["environment"]["GOLDSMITH_REPORT_URL"]
    assert "${REPORT_PORT:-8089}" in address
    assert address in TEXTS[1], "Airflow's button leads there too"


def test_disabled_services_use_no_port() -> None:
    port_variables = {}
    for on in ("", "store,superset,dqops,history"):
        words = f"import compose; print(*(p.variable for p in compose.ports({{'COMPOSE_PROFILES': '{on}'}})))"
        environment = {**os.environ, "PYTHONPATH": str(TOOLS), "PYTHONDONTWRITEBYTECODE": "1"}
        port_variables[on] = subprocess.run(
            [sys.executable, "-c", words], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
    assert port_variables[""] == ["THRIFT_PORT", "MASTER_UI_PORT", "AIRFLOW_PORT", "REPORT_PORT"]
    variables = {
        found[1] for s in SERVICES.values() for p in s.get("ports", []) if (found := VARIABLE.search(p))
    }
    assert set(port_variables["store,superset,dqops,history"]) == variables


def test_env_generates_all_variables_of_compose(tmp_path: Path) -> None:
    run("env.py", str(tmp_path / ".env"))
    made = {line.partition("=")[0] for line in (tmp_path / ".env").read_text().splitlines()}
    needed = {name for name, kind, _ in VARIABLE.findall(TEXT) if kind == ":?"}
    assert needed <= made


def test_env_is_created_once_and_readable_by_its_owner(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    first = run("env.py", str(file))
    assert first.returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    values = [line.partition("=")[2] for line in text.splitlines() if "PASSWORD" in line or "SECRET" in line]
    assert len(set(values)) == len(values)
    assert all(len(value) >= 32 for value in values)
    assert not any(value in first.stdout + first.stderr for value in values)

    run("env.py", str(file))
    assert file.read_text() == text


def test_env_keeps_existing_values_and_adds_missing_ones(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nPOSTGRES_PASSWORD=kept\nS3_PORT=9100")
    file.chmod(0o644)
    run("env.py", str(file))
    lines = file.read_text().splitlines()
    assert lines[:3] == ["# mine", "POSTGRES_PASSWORD=kept", "S3_PORT=9100"]
    assert any(line.startswith("JOBS_S3_SECRET_KEY=") for line in lines[3:])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def refused(**environment: str) -> str:
    ended = run("compose.py", "ps", **environment)
    assert ended.returncode == 4, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_missing_docker_is_reported(tmp_path: Path) -> None:
    assert "Docker is not installed" in refused(PATH=str(tmp_path))


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs Docker's command")
def test_stopped_engine_is_reported() -> None:
    assert "engine is not running" in refused(DOCKER_HOST="unix:///nonexistent/docker.sock")


def test_missing_compose_is_reported(tmp_path: Path) -> None:
    program(tmp_path, "docker", '[ "$1" = info ] && echo 27.0')
    assert "Compose is not installed" in refused(PATH=str(tmp_path))


def test_old_compose_is_reported(tmp_path: Path) -> None:
    program(tmp_path, "docker", "case $1 in info) echo 27.0;; compose) echo v2.17.3;; esac")
    assert "2.20 or later" in refused(PATH=str(tmp_path))


def test_missing_env_is_reported(tmp_path: Path) -> None:
    shutil.copytree(TOOLS, tmp_path / "tools")
    program(tmp_path / "bin", "docker", "case $1 in info) echo 27.0;; compose) echo 2.40.0;; esac")
    ended = subprocess.run(
        [sys.executable, tmp_path / "tools" / "compose.py", "ps"],
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (4, ".env is missing: create it with `make env`.\n")


def test_used_port_is_reported(tmp_path: Path) -> None:
    shutil.copytree(TOOLS, tmp_path / "tools")
    (tmp_path / ".env").write_text("COMPOSE_PROFILES=store\n")
    program(
        tmp_path / "bin",
        "docker",
        'case $1 in info) echo 27.0;; compose) [ "$2" = version ] && echo 2.40.0;; esac',
    )
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, tmp_path / "tools" / "compose.py", "up"],
            env={"PATH": str(tmp_path / "bin"), "THRIFT_PORT": str(number)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 4
    assert f"Port {number} is in use, and thrift-server needs it" in ended.stderr
    assert "set THRIFT_PORT in .env" in ended.stderr


def test_gates_without_dqops_are_reported(tmp_path: Path) -> None:
    compose = runpy.run_path(str(TOOLS / "compose.py"))
    settings = {"DQOPS_URL": "http://dqops:8888", "COMPOSE_PROFILES": "store"}
    with pytest.raises(compose["NotReadyError"], match="DQOPS_URL="):
        compose["check_gates"](settings)
    compose["check_gates"]({**settings, "COMPOSE_PROFILES": "store,dqops"})
    compose["check_gates"]({**settings, "DQOPS_URL": ""})
    elsewhere = {**settings, "DQOPS_URL": "https://dqops.example.org"}
    with pytest.raises(compose["NotReadyError"], match="add `triggerer` to COMPOSE_PROFILES"):
        compose["check_gates"](elsewhere)
    compose["check_gates"]({**elsewhere, "COMPOSE_PROFILES": "store,triggerer"})
