"""Reads a project's own Python and SQL files as text, and parses Python without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.documents import place_of_bytes


def read_text(file: Path) -> str:
    """The text of a file. Raises DeclarationError GS201 if it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        where = place_of_bytes(file, error)
        message = "The file is not UTF-8 text."
        raise DeclarationError("GS201", message, where=where, hint="Save it as UTF-8.") from None


def parse_python(file: Path, text: str, table: str) -> ast.Module:
    """The syntax tree of a Python file. Raises DeclarationError GS206 if it is not Python."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        where = Where(file=file, line=error.lineno, column=error.offset, table=table)
        raise DeclarationError("GS206", f"This is not Python: {error.msg}.", where=where) from None


def names_in(tree: ast.Module) -> set[str]:
    """The names that a module defines, imports or assigns."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {each.asname or each.name for each in names}
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found
