#!/usr/bin/env python3
"""Sets or removes users of the Thrift Server in the file that THRIFT_USERS_FILE names.

python3 spark/thrift_users.py set ada --file secrets/thrift-users --reads gold,ops
python3 spark/thrift_users.py remove ada --file secrets/thrift-users

`set` prompts for the password, or reads it from standard input if that is not a terminal. The file has mode 600 and is
replaced atomically. The server reads it at each log-in, so changes apply without a restart.
"""

import argparse
import base64
import getpass
import hashlib
import os
import re
import secrets
import sys
from pathlib import Path

ITERATIONS = 210_000
MIN_PASSWORD = 8
NAME = re.compile(r"[A-Za-z0-9._@-]+")
SCHEMA = re.compile(r"\w+", re.ASCII)


def user_line(name: str, password: str, reads: list[str]) -> str:
    """The line `name:pbkdf2-sha256:iterations:salt:hash[:schemas]`. reads: the readable schemas; empty for all.

    Raises ValueError for an invalid name, password or schema.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"`{name}` is not a valid user name. Use letters, digits and `.`, `_`, `@`, `-`.")
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"The password has fewer than {MIN_PASSWORD} characters.")
    if any(sign.isspace() for sign in password):
        raise ValueError("The password contains white space, which beeline does not support.")
    for schema in reads:
        if not SCHEMA.fullmatch(schema):
            raise ValueError(f"`{schema}` is not a valid schema name. Write `--reads gold,ops`.")
    salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    fields = [name, "pbkdf2-sha256", str(ITERATIONS), _base64(salt), _base64(digest)]
    return ":".join([*fields, ",".join(reads)] if reads else fields)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def read_lines(file: Path) -> dict[str, str]:
    """The lines by user name; empty without a file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {line.split(":", 1)[0]: line for line in lines if line}


def write_lines(file: Path, lines: dict[str, str]) -> None:
    """Replaces the file atomically, with mode 600."""
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(
        os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as out:
        out.write("".join(f"{line}\n" for line in lines.values()))
    partial.replace(file)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Repeat the password: ") != password:
        raise ValueError("The passwords differ.")
    return password


def main() -> None:
    """Runs the command. Exits with 2 for an invalid call, with the reason on standard error."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("set", "Add a user, or change the password and schemas."),
        ("remove", "Remove a user."),
    ):
        command = verbs.add_parser(verb, help=text, description=text)
        command.add_argument("name")
        command.add_argument("--file", type=Path, required=True, help="the file that THRIFT_USERS_FILE names")
        if verb == "set":
            command.add_argument(
                "--reads", default="", help="the readable schemas, as `gold,ops` (default: all)"
            )
    arguments = parser.parse_args()
    lines = read_lines(arguments.file)
    is_known = arguments.name in lines
    try:
        if arguments.verb == "set":
            schemas = [schema for word in arguments.reads.split(",") if (schema := word.strip())]
            lines[arguments.name] = user_line(arguments.name, _password(), schemas)
            done = "Changed" if is_known else "Added"
        elif is_known:
            del lines[arguments.name]
            done = "Removed"
        else:
            raise ValueError(f"There is no user `{arguments.name}` in {arguments.file}.")
        write_lines(arguments.file, lines)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    except (KeyboardInterrupt, EOFError):
        sys.exit(130)
    print(f"{done}: {arguments.name}")


if __name__ == "__main__":
    main()
