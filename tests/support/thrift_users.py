"""Runs spark/thrift_users.py, which maintains the users of the Thrift Server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "spark/thrift_users.py"


def thrift_users(
    verb: str, name: str, file: Path, *options: str, password: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs the script, with the password on standard input."""
    words = [sys.executable, str(SCRIPT), verb, "--file", str(file), *options, "--", name]
    return subprocess.run(words, input=f"{password}\n", capture_output=True, text=True, check=False)


def set_user(file: Path, name: str, password: str, reads: Sequence[str] = ()) -> None:
    """Adds or changes a user. Raises CalledProcessError if the script refuses."""
    options = ["--reads", ",".join(reads)] if reads else []
    thrift_users("set", name, file, *options, password=password).check_returncode()


def remove_user(file: Path, name: str) -> None:
    """Removes a user. Raises CalledProcessError if there is none of this name."""
    thrift_users("remove", name, file).check_returncode()
