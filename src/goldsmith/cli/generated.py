"""Writes generated files, or compares them with what would be written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import typer

from goldsmith.cli.console import out
from goldsmith.errors import Exit


def write_texts(texts: Mapping[Path, str], *, check_only: bool, current: str) -> None:
    """Writes the files that differ; with check_only, lists them and raises typer.Exit if there are any.

    current: the message to print if no file differs.
    """
    stale = [
        path
        for path, text in texts.items()
        if not (path.is_file() and path.read_text(encoding="utf-8") == text)
    ]
    for path in stale:
        if not check_only:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
        out.print(f"  {'differs' if check_only else 'written'}: {os.path.relpath(path)}", soft_wrap=True)
    if check_only and stale:
        raise typer.Exit(Exit.FAILED)
    if not stale:
        out.print(current)
