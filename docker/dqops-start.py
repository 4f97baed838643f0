"""Starts DQOps in its container, with DQOPS_WEBHOOK as the address that incidents are posted to.

DQOps replaces no variable in such an address, so it is written into its settings, which are not in git. Usage:
dqops-start.py ARGUMENTS..., for the server's own start script: DQOPS_START (/dqo/home/bin/dqo_docker_entrypoint.sh).
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

KEYS = ("incident_opened_addresses", "incident_resolved_addresses")
SETTINGS = "settings/defaultnotifications.dqonotifications.yaml"
WRITTEN = ".goldsmith-webhook"
"""Holds the address that was written last: any other one in the settings is a person's own."""

EMPTY = "apiVersion: dqo/v1\nkind: default_notifications\nspec: {}\n"
_SPEC = re.compile(r"^spec:[ ]*(\{[ ]*\}|null|~)?[ ]*(#.*)?$")
_KEY = re.compile(rf"^(\s+)({'|'.join(KEYS)}):\s*(.*?)\s*$")


def addressed(text: str, address: str, written: str) -> str:
    """The settings with an address for each key that has none of a person's; without it where it is empty.

    written: the address that was put there last. Raises ValueError where the settings are written in another way than
    a key a line.
    """
    lines = text.splitlines()
    at = next((at for at, line in enumerate(lines) if _SPEC.match(line)), None)
    if at is None:
        raise ValueError("it has no line `spec:` with its keys below")
    kept, own = [], set()
    for line in lines[at + 1 :]:
        found = _KEY.match(line)
        if found is not None and _value(found[3]) in (written, ""):
            continue
        if found is not None:
            own.add(found[2])
        kept.append(line)
    indent = next((re.match(r"\s*", line)[0] for line in kept if line.strip() and line[0] == " "), "  ")  # type: ignore[index]
    ours = [f"{indent}{key}: {json.dumps(address)}" for key in KEYS if address and key not in own]
    is_empty = not ours and not any(line[:1] == " " and line.strip()[:1] not in ("", "#") for line in kept)
    return "\n".join([*lines[:at], "spec: {}" if is_empty else "spec:", *ours, *kept, ""])


def _value(text: str) -> str:
    if text.startswith('"'):
        return str(json.loads(text))
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def configure(home: Path, address: str) -> None:
    """Writes the address into a user home. Raises OSError and ValueError where that is not possible."""
    settings, memory = home / SETTINGS, home / WRITTEN
    written = memory.read_text(encoding="utf-8") if memory.is_file() else ""
    text = settings.read_text(encoding="utf-8") if settings.is_file() else EMPTY
    wanted = addressed(text, address, written)
    if wanted != text:
        settings.parent.mkdir(exist_ok=True)
        _write(settings, wanted)
    if address != written:
        _write(memory, address)


def _write(file: Path, text: str) -> None:
    """Writes a file, which only its owner may read where it is new: who knows such an address may post there."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


def main() -> None:
    """Configures the home, and becomes the server."""
    home = Path(os.environ.get("DQO_USER_HOME") or "/dqo/userhome")
    try:
        configure(home, os.environ.pop("DQOPS_WEBHOOK", "").strip())
    except (OSError, ValueError) as error:
        # The checks are worth more than the messages about them.
        print(
            f"Incidents are not posted to DQOPS_WEBHOOK: {home / SETTINGS}: {error}.",
            file=sys.stderr,
            flush=True,
        )
    start = os.environ.get("DQOPS_START") or "/dqo/home/bin/dqo_docker_entrypoint.sh"
    os.execv(start, [start, *sys.argv[1:]])


if __name__ == "__main__":
    main()
