"""Reads YAML files as plain data with the location of each key."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from goldsmith.errors import DeclarationError, Where
from goldsmith.yaml_text import LOADER

Place = tuple[int, int]
_DEEPEST = 50


@dataclass(frozen=True)
class Document:
    """The content of a YAML file. places: path of keys -> line and column, counted from 1."""

    file: Path
    data: dict[str, Any]
    places: Mapping[tuple[Hashable, ...], Place]

    def where(self, path: Sequence[Hashable] = (), *, table: str | None = None) -> Where:
        """The location of the longest prefix of `path` that the file has.

        Parts of the path that the file does not have (tags that a model adds) are skipped.
        """
        known: tuple[Hashable, ...] = ()
        for part in path:
            if (*known, part) in self.places:
                known = (*known, part)
        line, column = self.places.get(known, (1, 1))
        return Where(file=self.file, line=line, column=column, table=table)


def read_document(file: Path) -> Document:
    """Reads one YAML mapping; an empty file is an empty mapping.

    Raises DeclarationError: GS101 if it does not parse, GS105 for a key written twice,
    GS103 if it is not a mapping of keys to values.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        root = yaml.compose(text, Loader=LOADER)
    except UnicodeDecodeError as error:
        raise DeclarationError(
            "GS101",
            "The file is not UTF-8 text.",
            where=place_of_bytes(file, error),
            hint="Save it as UTF-8.",
        ) from None
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(file, error) from None
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise DeclarationError(
            "GS101", f"This is not YAML: {reason}.", where=Where(file=file), hint="Save it as plain text."
        ) from None
    if root is None:
        return Document(file, {}, {})
    places: dict[tuple[Hashable, ...], Place] = {}
    data = _plain(root, (), places, file)
    if data is None:
        return Document(file, {}, {})
    if not isinstance(data, dict):
        raise DeclarationError(
            "GS103",
            "The file is not a mapping of keys to values.",
            where=Where(file=file, line=1, column=1),
            hint="Write `key: value` lines, as in `description: One row per order.`",
        )
    return Document(file, data, places)


def place_of_bytes(file: Path, error: UnicodeDecodeError) -> Where:
    """Line and column, in bytes, of the first byte that is not valid in a text's encoding."""
    before = error.object[: error.start]
    return Where(file=file, line=before.count(b"\n") + 1, column=len(before) - before.rfind(b"\n"))


_HINTS = (
    ("mapping values are not allowed", "Put text that contains `: ` in quotes, or correct the indentation."),
    (
        "found character that cannot start",
        "Indent with spaces, not tabs. Put text that begins with this character in quotes.",
    ),
    ("found unexpected end of stream", "Close the quote that is still open."),
    ("found another document", "Remove the line `---`: a file holds one declaration."),
    ("undefined alias", "Put text that begins with `*` in quotes."),
    ("did not find expected", "Check for a missing bracket, quote or comma, and for wrong indentation."),
)


def _not_yaml(file: Path, error: yaml.MarkedYAMLError) -> DeclarationError:
    mark, begun = error.problem_mark or error.context_mark, error.context_mark
    reason = (error.problem or error.context or "it cannot be read").removeprefix("but ")
    if begun is not None and mark is not None and begun.line != mark.line:
        reason += f", in the block that begins on line {begun.line + 1}"
    hint = next(
        (hint for words, hint in _HINTS if words in reason),
        "Check for a missing quote and for wrong indentation.",
    )
    where = Where(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Where(file=file)
    return DeclarationError("GS101", f"This is not YAML: {reason}.", where=where, hint=hint)


def _plain(
    node: yaml.Node, path: tuple[Hashable, ...], places: dict[tuple[Hashable, ...], Place], file: Path
) -> Any:
    """A node as dict, list or scalar; records the location of each key and list item in `places`."""
    if len(path) > _DEEPEST:
        where = Where(file=file, line=node.start_mark.line + 1, column=node.start_mark.column + 1)
        raise DeclarationError(
            "GS101", "An alias refers to itself, or keys are nested too deeply.", where=where
        )
    places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key in result:
                raise DeclarationError(
                    "GS105",
                    f"The key `{key}` is written twice, first on line {places[(*path, key)][0]}.",
                    where=Where(file=file, line=place[0], column=place[1]),
                    hint="Keep one of them.",
                )
            places[(*path, key)] = place
            result[key] = _plain(value_node, (*path, key), places, file)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), places, file) for index, item in enumerate(node.value)]
    return _scalar(node, file)


class _Scalars(yaml.constructor.SafeConstructor):
    """Turns a scalar node into a Python value by YAML's own rules."""


def _scalar(node: yaml.Node, file: Path) -> Any:
    where = Where(file=file, line=node.start_mark.line + 1, column=node.start_mark.column + 1)
    try:
        value = _Scalars().construct_object(node, deep=True)
    except yaml.constructor.ConstructorError:
        message = f"The YAML tag `{node.tag}` is not known."
        raise DeclarationError(
            "GS101", message, where=where, hint="Put text that begins with `!` in quotes."
        ) from None
    except ValueError as error:
        message = f"`{node.value}` is not a valid value: {error}."
        raise DeclarationError(
            "GS103", message, where=where, hint="Put it in quotes if it is text."
        ) from None
    return value if value is None or isinstance(value, str | int | float | bool | date) else str(node.value)
