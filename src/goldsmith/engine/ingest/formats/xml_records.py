"""XML files: their records as JSON documents, whose values are the delivered text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from goldsmith.engine.ingest.formats.base import REDELIVER_HINT
from goldsmith.errors import SourceError, Where

TEXT = "_text"
"""The key of the text of an element that has attributes or elements too."""

_SEPARATOR = "}"
_NIL = "http://www.w3.org/2001/XMLSchema-instance}nil"
_PART = 1 << 16
_DEEPEST = 64
"""The greatest depth of elements in a record, as in JSON."""


@dataclass
class Element:
    """An element. Names have no namespaces."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    is_nil: bool = False
    elements: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def records(stream: BinaryIO, place: Sequence[str], where: Where) -> Iterator[Element]:
    """The elements at a place, which is their path from the root; without one, the children of the root.

    Raises SourceError GS302 for a file that is not well-formed, declares entities, is nested too deeply, or has no such
    place.
    """
    reader = _Reader(tuple(place), where)
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.entity
    try:
        while part := stream.read(_PART):
            parser.Parse(part, False)
            yield from reader.taken()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        message = (
            f"A file is not XML, or it is truncated: line {error.lineno}: {expat.ErrorString(error.code)}"
        )
        raise _refused(message, REDELIVER_HINT, where) from None
    except (LookupError, ValueError) as error:
        hint = "Deliver it in UTF-8, and declare this encoding in its first line."
        raise _refused(f"The encoding of a file cannot be read: {error}.", hint, where) from None
    yield from reader.taken()
    reader.check_place()


def document(element: Element, kind: DataType | None) -> str:
    """The JSON document of an element: its attributes, then its elements. kind: the declared type, if there is one.

    Repeated elements, and elements declared as an array, are an array. A key of both an attribute and an element occurs
    twice, which makes the document malformed.
    """
    if element.is_nil:
        return "null"
    text = "".join(element.texts)
    if not element.attributes and not element.elements:
        return json.dumps(text, ensure_ascii=False) if text else "null"
    members = [(name, json.dumps(value, ensure_ascii=False)) for name, value in element.attributes.items()]
    groups: dict[str, list[Element]] = {}
    for inner in element.elements:
        groups.setdefault(inner.name, []).append(inner)
    for name, group in groups.items():
        declared = _member_type(kind, name)
        if isinstance(declared, ArrayType) or len(group) > 1:
            of_each = declared.elementType if isinstance(declared, ArrayType) else None
            members.append((name, f"[{','.join(document(inner, of_each) for inner in group)}]"))
        else:
            members.append((name, document(group[0], declared)))
    if text.strip():
        members.append((TEXT, json.dumps(text, ensure_ascii=False)))
    return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{value}" for name, value in members) + "}"


def _member_type(kind: DataType | None, name: str) -> DataType | None:
    if isinstance(kind, StructType):
        return next((item.dataType for item in kind.fields if item.name.lower() == name.lower()), None)
    return kind.valueType if isinstance(kind, MapType) else None


class _Reader:
    """Collects the records of a file while it is parsed."""

    def __init__(self, place: tuple[str, ...], where: Where) -> None:
        self._place, self._where = place, where
        self._path: list[str] = []
        self._open: list[Element] = []
        self._taken: list[Element] = []
        self._names: set[str] = set()
        self._is_found = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(_local(name))
        path = tuple(self._path)
        # The place of a record that is the root is the record itself; others may have no records.
        self._is_found |= path == (self._place[:-1] or self._place)
        if self._open or (path == self._place if self._place else len(path) == 2):  # noqa: PLR2004
            given = {_local(key): value for key, value in attributes.items() if key != _NIL}
            is_nil = attributes.get(_NIL) in ("true", "1")
            element = Element(path[-1], given, is_nil)
            if len(self._open) == _DEEPEST:
                message = f"A record of a file has elements nested deeper than {_DEEPEST}."
                raise _refused(message, REDELIVER_HINT, self._where)
            if self._open:
                self._open[-1].elements.append(element)
            self._open.append(element)

    def end(self, _name: str) -> None:
        self._path.pop()
        if self._open:
            element = self._open.pop()
            if not self._open:
                self._names.add(element.name)
                self._check_names()
                self._taken.append(element)

    def text(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)

    def entity(self, *_: object) -> None:
        raise _refused(
            "A file declares entities, which are not read.",
            "Deliver it without a document type declaration.",
            self._where,
        )

    def taken(self) -> list[Element]:
        """The records that were completed since the last call."""
        taken, self._taken = self._taken, []
        return taken

    def check_place(self) -> None:
        """Raises SourceError GS302 if the element that contains the records, or a record that is the root, is missing."""
        if self._place and not self._is_found:
            containing = ".".join(self._place[:-1])
            raise _refused(
                f"A file has no `{containing}`, which contains the records."
                if containing
                else f"The root of a file is not `{self._place[0]}`.",
                "Correct `records`: the names of elements from the root to the records, separated by dots.",
                self._where,
            )

    def _check_names(self) -> None:
        if not self._place and len(self._names) > 1:
            names = " and ".join(f"`{name}`" for name in sorted(self._names))
            raise _refused(
                f"The root of a file contains {names}: which are the records is unknown.",
                "Declare them, as in `options: {records: orders.order}`: the names from the root to the records.",
                self._where,
            )


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]


def _refused(message: str, hint: str, where: Where) -> SourceError:
    return SourceError("GS302", message, where=where, hint=hint)
