"""Maintains the Thrift Server's file of users: names and salted password hashes."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from goldsmith.errors import DeclarationError

ITERATIONS = 210_000
_NAME = re.compile(r"[A-Za-z0-9._@-]+")
_SCHEMA = re.compile(r"\w+", re.ASCII)
_LEAST = 8


def set_password(file: Path, name: str, password: str, reads: Sequence[str] = ()) -> bool:
    """Writes a user's line `name:pbkdf2-sha256:iterations:salt:hash[:schemas]`; True if the user is new.

    reads: the schemas that the user may read; all if empty. The file has mode 600 and is replaced atomically.
    Raises DeclarationError GS504 for an invalid name, password or schema.
    """
    if not _NAME.fullmatch(name):
        raise DeclarationError(
            "GS504",
            f"`{name}` is not a valid name of a user.",
            hint="Use letters, digits and `.`, `_`, `@`, `-`.",
        )
    if len(password) < _LEAST:
        raise DeclarationError("GS504", f"The password has fewer than {_LEAST} characters.")
    if any(sign.isspace() for sign in password):
        raise DeclarationError("GS504", "The password contains white space, which beeline does not support.")
    for schema in reads:
        if not _SCHEMA.fullmatch(schema):
            raise DeclarationError(
                "GS504",
                f"`{schema}` is not a valid name of a schema.",
                hint="Write them as `--reads gold,ops`.",
            )
    salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    fields = [name, "pbkdf2-sha256", str(ITERATIONS), _text(salt), _text(digest)]
    if reads:
        fields.append(",".join(reads))
    lines, others = _others(file, ""), _others(file, name)
    _write(file, [*others, ":".join(fields)])
    return len(others) == len(lines)


def remove_user(file: Path, name: str) -> bool:
    """Removes a user; False if there is none of this name."""
    lines = _others(file, "")
    others = _others(file, name)
    if len(others) == len(lines):
        return False
    _write(file, others)
    return True


def _others(file: Path, name: str) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [line for line in lines if line and line.split(":", 1)[0] != name]


def _write(file: Path, lines: list[str]) -> None:
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(
        os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as out:
        out.write("".join(f"{line}\n" for line in lines))
    partial.replace(file)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
