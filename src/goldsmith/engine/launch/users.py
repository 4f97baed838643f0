"""The file of users that the Thrift Server lets in: names and salted hashes of passwords."""

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

    reads: the only schemas that the user reads; every schema if empty. The file has mode 600 and is replaced as a
    whole. Raises DeclarationError GS504 for a name, a password or a schema that cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise DeclarationError(
            "GS504",
            f"`{name}` cannot be a user's name.",
            hint="Letters, digits and `.`, `_`, `@`, `-` can be in one.",
        )
    if len(password) < _LEAST:
        raise DeclarationError("GS504", f"The password has fewer than {_LEAST} characters.")
    if any(sign.isspace() for sign in password):
        raise DeclarationError("GS504", "The password has a blank in it; beeline takes none.")
    for schema in reads:
        if not _SCHEMA.fullmatch(schema):
            raise DeclarationError(
                "GS504", f"`{schema}` cannot be a schema's name.", hint="Name schemas as `--reads gold,ops`."
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
    """Takes a user out; False if there was none of this name."""
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
