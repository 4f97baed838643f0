"""Change events of Debezium: one JSON envelope per line, which gives a row with its operation and order.

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-change-events-value
"""

from __future__ import annotations

from typing_extensions import override

from goldsmith.engine.ingest.formats.json_files import JsonReader
from goldsmith.engine.ingest.json_text import bound, flat, members_of_flat, one_object

_OPERATIONS = "map('c', 'insert', 'r', 'insert', 'u', 'update', 'd', 'delete')"
_ENVELOPE = "before string, after string, op string, ts_ms string, source string"
_POSITION = (
    "lsn string, change_lsn string, event_serial_no string, file string, pos string, row string, ts_ms string"
)


class DebeziumReader(JsonReader):
    """Reads the row after a change, or before a deletion, with `_op`, `_sequence` and `_changed_at`."""

    @override
    def document(self, line: str) -> str:
        members = bound(
            members_of_flat("b", _ENVELOPE),
            "m",
            bound(members_of_flat(flat("m.source"), _POSITION), "s", _row()),
        )
        inner = bound(flat("e"), "b", f"IF({one_object('b')}, {members}, NULL)")
        payload = bound(f"coalesce({members_of_flat('a', 'payload string')}.payload, {line})", "e", inner)
        return bound(flat(line), "a", f"IF({one_object('a')}, {payload}, NULL)")


def _row() -> str:
    """SQL: the row as a document with the three columns; NULL if the operation is unknown or the row is missing."""
    row = "IF(o = 'delete', m.before, m.after)"
    empty = r"IF(w RLIKE r'^\s*\{\s*\}\s*$', '', ',')"
    made = (
        f"""concat('{{"_op":"', o, '"', {_member("_sequence", _sequence())}, {_member("_changed_at", _time())}, """
        rf"{empty}, regexp_replace(w, r'^\s*\{{', ''))"
    )
    return bound(
        f"element_at({_OPERATIONS}, m.op)",
        "o",
        bound(row, "w", rf"CASE WHEN o IS NOT NULL AND w RLIKE r'^\s*\{{' THEN {made} END"),
    )


def _member(name: str, value: str) -> str:
    return f"""coalesce(concat(',"{name}":"', {value}, '"'), '')"""


def _sequence() -> str:
    """SQL: the position of the change in the database's log, as text whose order is that of the changes."""
    position = (
        "CASE WHEN s.lsn IS NOT NULL THEN lpad(s.lsn, 20, '0') "
        "WHEN s.change_lsn IS NOT NULL "
        "THEN concat(s.change_lsn, ':', lpad(coalesce(s.event_serial_no, '0'), 10, '0')) "
        "WHEN s.file IS NOT NULL "
        "THEN concat_ws(':', s.file, lpad(s.pos, 20, '0'), lpad(coalesce(s.row, '0'), 10, '0')) "
        "ELSE lpad(coalesce(s.ts_ms, m.ts_ms), 20, '0') END"
    )
    return bound(position, "n", r"IF(n RLIKE r'^[\w.:-]+$', n, NULL)")


def _time() -> str:
    """SQL: the time of the change in the database."""
    moment = "concat(CAST(timestamp_millis(CAST(t AS bigint)) AS string), 'Z')"
    return bound("coalesce(s.ts_ms, m.ts_ms)", "t", rf"IF(t RLIKE r'^\d{{1,14}}$', {moment}, NULL)")
