"""Creates .env for the compose files, with random secrets, readable by the owner only. Usage: env.py [FILE]

Existing values do not change. Keys that a newer version needs are added at the end.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

NEEDED: Mapping[str, Callable[[], str]] = {
    "COMPOSE_PROFILES": lambda: "store,superset,dqops,history",
    # `docker compose up` with one file prints no warning about the other file's containers.
    "COMPOSE_IGNORE_ORPHANS": lambda: "1",
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(16),
    "METASTORE_DB_PASSWORD": lambda: secrets.token_hex(16),
    "STORE_ROOT_USER": lambda: "root-" + secrets.token_hex(6),
    "STORE_ROOT_PASSWORD": lambda: secrets.token_hex(20),
    "JOBS_S3_ACCESS_KEY": lambda: "jobs-" + secrets.token_hex(6),
    "JOBS_S3_SECRET_KEY": lambda: secrets.token_hex(20),
    "SERVING_S3_ACCESS_KEY": lambda: "serving-" + secrets.token_hex(6),
    "SERVING_S3_SECRET_KEY": lambda: secrets.token_hex(20),
    "SPARK_AUTH_SECRET": lambda: secrets.token_hex(32),
    "AIRFLOW_DB_PASSWORD": lambda: secrets.token_hex(16),
    "AIRFLOW_ADMIN_PASSWORD": lambda: secrets.token_hex(16),
    "AIRFLOW_VIEWER_PASSWORD": lambda: secrets.token_hex(16),
    "AIRFLOW_FERNET_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_hex(48),
    "AIRFLOW_API_SECRET_KEY": lambda: secrets.token_hex(32),
    "SUPERSET_DB_PASSWORD": lambda: secrets.token_hex(16),
    "SUPERSET_SECRET_KEY": lambda: secrets.token_hex(32),
    "SUPERSET_ADMIN_PASSWORD": lambda: secrets.token_hex(16),
    "SUPERSET_ANALYST_PASSWORD": lambda: secrets.token_hex(16),
    "THRIFT_ENGINEER_PASSWORD": lambda: secrets.token_hex(16),
    "THRIFT_ANALYST_PASSWORD": lambda: secrets.token_hex(16),
    "THRIFT_DQOPS_PASSWORD": lambda: secrets.token_hex(16),
    "DQOPS_URL": lambda: "http://dqops:8888",
    "DQOPS_PASSWORD": lambda: secrets.token_hex(16),
    "REPORT_PASSWORD": lambda: secrets.token_hex(16),
}
"""The keys of .env and the functions that generate their values."""

HEAD = "# Secrets and settings of the compose files. docs/compose.md lists all settings.\n"


def keys(text: str) -> set[str]:
    """The keys in the text of a .env."""
    lines = (line.strip().removeprefix("export ") for line in text.splitlines())
    return {line.partition("=")[0].strip() for line in lines if "=" in line and not line.startswith("#")}


def completed(text: str) -> tuple[str, list[str]]:
    """The text with the missing keys added, and their names."""
    missing = [key for key in NEEDED if key not in keys(text)]
    if text and not text.endswith("\n"):
        text += "\n"
    return (text or HEAD) + "".join(f"{key}={NEEDED[key]()}\n" for key in missing), missing


def make(file: Path) -> list[str]:
    """Writes the file with mode 600 and returns the added keys. A complete file is not written."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    whole, added = completed(text)
    if file.exists():
        file.chmod(0o600)
    if not added:
        return []
    # The rename is atomic, and the secrets are never readable by others.
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(
        os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as out:
        out.write(whole)
    partial.replace(file)
    return added


def main() -> None:
    """Creates or completes the file and prints the added keys, never a value."""
    file = Path(sys.argv[1] if len(sys.argv) > 1 else ".env")
    existed = file.exists()
    added = make(file)
    if not existed:
        print(f"Created {file} with new secrets.")
    elif added:
        print(f"Added to {file}: {', '.join(added)}.")
    else:
        print(f"{file} is complete.")


if __name__ == "__main__":
    main()
