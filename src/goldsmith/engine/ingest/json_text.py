"""SQL that extracts values of JSON documents as their exact text.

Spark's `from_json` converts numbers through double, also within nested values that it returns as text. Therefore
numbers and nested values are first turned into strings, which it copies unchanged.
"""

from __future__ import annotations

from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted

DEPTH = 64
"""The greatest depth of nested values."""

CORRUPT = "_gs_corrupt"

_STRING = r'"(?:[^"\\]++|\\.)*+"'


def _balanced(depth: int) -> str:
    inner = rf'[^{{}}\[\]"]++|{_STRING}'
    found = rf"[{{\[](?:{inner})*+[}}\]]"
    for _ in range(depth - 1):
        found = rf"[{{\[](?:{inner}|{found})*+[}}\]]"
    return found


_NUMBER = (
    r"(?<![\w.+-])(-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|Infinity)|NaN)"
    r"(?![\w.+-])(?!\s*+:)"
)
_STRING_OR_NUMBER = rf'"((?:[^"\\]++|\\.)*+)"|{_NUMBER}'
# The first piece begins with the document's own bracket.
_PIECE = rf'(?s)^\s*+[{{\[](?:[^{{\["]++|{_STRING})*+|(?:[^{{\["]++|{_STRING})++|{_balanced(DEPTH - 1)}'
_ONE_OBJECT = rf'^[ \t\r\n]*+\{{(?:[^{{}}\[\]"]++|{_STRING})*+\}}[ \t\r\n]*+$'
_WHOLE_CHARACTERS = r"(?s)^(?:[^\\]++|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u(?![dD][89a-fA-F])|\\[^u])*+$"
_ELEMENT = rf'(?s)\G(?:^[ \t\r\n]*+\[|,)[ \t\r\n]*+(?:{_STRING}|[^ \t\r\n,\[\]{{}}"]++|{_balanced(DEPTH)})[ \t\r\n]*+(?=[,\]])'
# A variant represents numbers of up to 38 digits exactly, and those with an exponent as doubles.
_VARIANT_NUMBER = (
    r"-?(?:(?:[0-9]\.?){1,38}+(?![0-9.eE])"
    r"|(?:[0-9]\.?){1,38}+[eE][+-]?(?:[0-9]{1,2}+|1[0-9]{2}|2[0-5][0-9])(?![0-9]))"
)
_VARIANT = rf'(?s)^(?:[^"0-9-]++|{_STRING}|{_VARIANT_NUMBER})*+$'

OPTIONS = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": CORRUPT,
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
    "maxStringLen": "2147483647",
}
"""Options of `from_json` for documents whose numbers are strings."""

JSON_OPTIONS = "map({})".format(", ".join(f"'{key}', '{value}'" for key, value in OPTIONS.items()))
# A nested value that was turned into a string may contain line breaks and tabs.
_OF_FLAT = JSON_OPTIONS.replace("map(", "map('allowUnquotedControlChars', 'true', ")


def numbers_quoted(text: str) -> str:
    """SQL: the document with each number as a string. Text that is not a JSON number stays unchanged."""
    return f"""regexp_replace({text}, r'{_STRING_OR_NUMBER}', '"$1$2"')"""


def flat(text: str) -> str:
    """SQL: the document with each number and each nested value as a string of its exact text.

    NULL if the brackets do not match or are nested deeper than DEPTH.
    """
    nested = f"(locate('{{', {text}, 2) > 0 OR locate('[', {text}, 2) > 0)"
    escaped = r"""replace(replace(p, r'\', r'\\'), '"', r'\"')"""
    piece = f"""CASE WHEN i > 0 AND left(p, 1) IN ('{{', '[') THEN concat('"', {escaped}, '"') ELSE p END"""
    pieces = f"regexp_extract_all({text}, r'{_PIECE}', 0)"
    joined = f"array_join(transform(q, (p, i) -> {piece}), '')"
    whole = f"CASE WHEN length(array_join(q, '')) = length({text}) THEN {joined} END"
    return numbers_quoted(f"CASE WHEN {nested} THEN {bound(pieces, 'q', whole)} ELSE {text} END")


def members(text: str, schema: str) -> str:
    """SQL: the members of a document as text, strings without their quotes."""
    return members_of_flat(flat(text), schema)


def members_of_flat(flat_text: str, schema: str) -> str:
    """SQL: the members of a document that is already flat."""
    return f"from_json({flat_text}, {literal(schema)}, {_OF_FLAT})"


def one_object(flat_text: str) -> str:
    """SQL: whether a flat text is exactly one object."""
    return f"{flat_text} RLIKE r'{_ONE_OBJECT}'"


def elements(text: str) -> str:
    """SQL, array<string>: the exact text of each element of an array, or of the single value if it is an object.

    NULL if the brackets do not match, if elements are not separated by commas, or for any other value.
    """
    begin = r"r'^(?:[ \t\r\n]*+\[|,)[ \t\r\n]*+'"
    after = f"substring({text}, length(array_join(q, '')) + 1)"
    values = f"transform(q, e -> rtrim('\t\r\n ', regexp_replace(e, {begin}, '')))"
    whole = rf"IF({after} RLIKE r'^\][ \t\r\n]*+$', {values}, NULL)"
    found = bound(f"regexp_extract_all({text}, r'{_ELEMENT}', 0)", "q", whole)
    return (
        rf"CASE WHEN {text} RLIKE r'^[ \t\r\n]*+\{{' THEN array({text}) "
        rf"WHEN {text} RLIKE r'^[ \t\r\n]*+\[[ \t\r\n]*+\][ \t\r\n]*+$' THEN CAST(array() AS array<string>) "
        rf"WHEN {text} RLIKE r'^[ \t\r\n]*+\[' THEN {found} END"
    )


def member(text: str, key: str) -> str:
    """SQL: the member of an object as text; NULL if the text is not exactly one object, or the key is not in it once."""
    found = members_of_flat("f", f"{quoted(key)} string, {CORRUPT} string")
    value = bound(found, "m", f"IF(m.{CORRUPT} IS NULL, m.{quoted(key)}, NULL)")
    once = f"coalesce({one_object('f')} AND {unique_keys('f')}, false)"
    return bound(text, "t", bound(flat("t"), "f", f"IF({once}, {value}, NULL)"))


def valid_inside(text: str) -> str:
    """SQL: whether the nested values of a document are valid JSON, and all escapes are valid characters."""
    nested = f"(locate('{{', {text}, 2) > 0 OR locate('[', {text}, 2) > 0)"
    items = f"from_json(concat('[', {numbers_quoted(text)}, ']'), 'array<string>', {JSON_OPTIONS})"
    return (
        f"(NOT {nested} OR {items} IS NOT NULL) AND "
        rf"(NOT contains({text}, r'\u') OR {text} RLIKE r'{_WHOLE_CHARACTERS}')"
    )


def unique_keys(text: str, *, folded: bool = False) -> str:
    """SQL: whether the keys of an object are unique. folded: compare them case-insensitively."""
    keys = f"json_object_keys({text})"
    compared = f"transform({keys}, k -> lower(k))" if folded else keys
    return f"coalesce(size(array_distinct({compared})) = size({keys}), true)"


def fits_variant(text: str) -> str:
    """SQL: whether a variant represents each number of a document exactly, or as the nearest double."""
    return f"{text} RLIKE r'{_VARIANT}'"


def bound(value: str, name: str, body: str) -> str:
    """SQL: `body` with `name` bound to `value`, which is computed once."""
    return f"element_at(transform(array({value}), {name} -> {body}), 1)"
