"""Checks that text is a Spark SQL type, without Spark."""

from __future__ import annotations

import re

from goldsmith.project.hints import hint_for
from goldsmith.project.types import ALIASES, FAMILIES, NEEDS_SIZE, SIZES

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
    parser = _TypeParser(text)
    parser.type()
    if parser.tokens:
        raise WrongTypeError(f"`{text}` is not a type: unexpected `{parser.tokens[0]}`")


class _TypeParser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _TOKEN.findall(text)
        if "".join(self.tokens).replace(" ", "") != re.sub(r"\s", "", text):
            raise WrongTypeError(f"`{text}` is not a type")

    def type(self) -> None:
        word = self._take()
        name = ALIASES.get(word.lower(), word.lower())
        if FAMILIES.get(name) == "nested":
            self._expect("<")
            self._nested(name)
            self._expect(">")
        elif name in SIZES and self.tokens[:1] == ["("]:
            self._sizes(SIZES[name])
        elif name in NEEDS_SIZE:
            raise WrongTypeError(f"`{word}` needs a length, as in `{word.lower()}(10)`", "Or use `string`.")
        elif name not in FAMILIES:
            known = _ELSEWHERE.get(name)
            hint = f"Did you mean `{known}`?" if known else hint_for(word, {*FAMILIES, *ALIASES})
            raise WrongTypeError(f"`{word}` is not a type", hint)

    def _nested(self, name: str) -> None:
        if name == "struct":
            self._field()
            while self.tokens[:1] == [","]:
                self._take()
                self._field()
            return
        self.type()
        if name == "map":
            self._expect(",")
            self.type()

    def _field(self) -> None:
        self._take()
        if self.tokens[:1] == [":"]:
            self._take()
        self.type()
        if [token.lower() for token in self.tokens[:2]] == ["not", "null"]:
            del self.tokens[:2]
        if [token.lower() for token in self.tokens[:1]] == ["comment"]:
            del self.tokens[:2]

    def _sizes(self, most: int) -> None:
        self._expect("(")
        sizes = [self._number()]
        while self.tokens[:1] == [","] and len(sizes) < most:
            self._take()
            sizes.append(self._number())
        self._expect(")")
        if most > 1 and (sizes[0] > _DIGITS or sizes[-1] > sizes[0]):
            reason = f"a decimal has at most {_DIGITS} digits, and its scale is at most its precision"
            raise WrongTypeError(f"`{self.text}` is not a type: {reason}")

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
