"""Parses the text of Spark SQL types, without Spark."""

from __future__ import annotations

import re

from goldsmith.project.hints import hint_for
from goldsmith.project.types import ALIASES, FAMILIES, NEEDS_SIZE, SIZES, decimal_of

_ELSEWHERE = {
    "text": "string",
    "str": "string",
    "object": "string",
    "bool": "boolean",
    "datetime": "timestamp",
    "timestamptz": "timestamp",
    "json": "variant",
    "number": "decimal",
}
_TOKEN = re.compile(r"\s*(`[^`]+`|\w+|'(?:[^'\\]|\\.)*'|[<>(),:])")
_DIGITS = 38


class WrongTypeError(ValueError):
    """Text that is not a type. hint: the type that was probably meant."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def check_type(text: str) -> None:
    """Raises WrongTypeError if `text` is not a type that a table's column can have."""
    canonical_type(text)


def same_type(left: str, right: str) -> bool:
    """True if two texts mean the same Spark type, as `int` and `integer`."""
    try:
        return canonical_type(left) == canonical_type(right)
    except WrongTypeError:
        return left == right


def canonical_type(text: str) -> str:
    """A type as Spark prints it, with names of fields quoted. Raises WrongTypeError."""
    parser = _TypeParser(text)
    found = parser.type()
    if parser.tokens:
        raise WrongTypeError(f"`{text}` is not a type: unexpected `{parser.tokens[0]}`")
    return found


class _TypeParser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _TOKEN.findall(text)
        if "".join(self.tokens).replace(" ", "") != re.sub(r"\s", "", text):
            raise WrongTypeError(f"`{text}` is not a type")

    def type(self) -> str:
        word = self._take()
        name = ALIASES.get(word.lower(), word.lower())
        if FAMILIES.get(name) == "nested":
            self._expect("<")
            members = self._nested(name)
            self._expect(">")
            return f"{name}<{','.join(members)}>"
        if name in SIZES and self.tokens[:1] == ["("]:
            return f"{name}({','.join(map(str, self._sizes(name)))})"
        if name in NEEDS_SIZE:
            raise WrongTypeError(f"`{word}` needs a length, as in `{word.lower()}(10)`", "Or use `string`.")
        if name not in FAMILIES:
            known = _ELSEWHERE.get(name)
            hint = f"Did you mean `{known}`?" if known else hint_for(word, {*FAMILIES, *ALIASES})
            raise WrongTypeError(f"`{word}` is not a type", hint)
        return f"{name}({','.join(map(str, decimal_of(name)))})" if name == "decimal" else name

    def _nested(self, name: str) -> list[str]:
        if name == "struct":
            fields = [self._field()]
            while self.tokens[:1] == [","]:
                self._take()
                fields.append(self._field())
            return fields
        members = [self.type()]
        if name == "map":
            self._expect(",")
            members.append(self.type())
        return members

    def _field(self) -> str:
        name = self._take().strip("`")
        if self.tokens[:1] == [":"]:
            self._take()
        kind = self.type()
        if [token.lower() for token in self.tokens[:2]] == ["not", "null"]:
            del self.tokens[:2]
        if [token.lower() for token in self.tokens[:1]] == ["comment"]:
            del self.tokens[:2]
        return f"`{name}`:{kind}"

    def _sizes(self, name: str) -> tuple[int, ...]:
        most = SIZES[name]
        self._expect("(")
        sizes = [self._number()]
        while self.tokens[:1] == [","] and len(sizes) < most:
            self._take()
            sizes.append(self._number())
        self._expect(")")
        if most > 1 and (sizes[0] > _DIGITS or sizes[-1] > sizes[0]):
            reason = f"a decimal has at most {_DIGITS} digits, and its scale is at most its precision"
            raise WrongTypeError(f"`{self.text}` is not a type: {reason}")
        return (sizes[0], 0) if name == "decimal" and len(sizes) == 1 else tuple(sizes)

    def _number(self) -> int:
        token = self._take()
        if not token.isdigit():
            raise WrongTypeError(f"`{self.text}` is not a type: expected a number, found `{token}`")
        return int(token)

    def _take(self) -> str:
        if not self.tokens:
            raise WrongTypeError(f"`{self.text}` is not a type: it ends too early")
        return str(self.tokens.pop(0))

    def _expect(self, wanted: str) -> None:
        found = self._take()
        if found != wanted:
            raise WrongTypeError(f"`{self.text}` is not a type: expected `{wanted}`, found `{found}`")
