"""The one tree of errors: each has a stable code, says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

CODES: dict[str, str] = {
    "GS100": "No project here",
    "GS101": "A YAML file does not parse",
    "GS102": "An unknown key",
    "GS103": "A value of the wrong type",
    "GS104": "A required key is missing",
    "GS105": "A table is declared twice, or a key is written twice",
    "GS106": "A table's SQL or Python file is missing, or is there twice",
    "GS107": "Tables depend on each other in a circle",
    "GS108": "A name that nothing declares: table, pipeline, layer or profile",
    "GS109": "A file's name or place is not one that declarations can have",
    "GS110": "A declaration contradicts itself",
    "GS201": "SQL does not parse",
    "GS202": "SQL reads a table that is not declared",
    "GS203": "SQL, a key or an expectation names a column that is not there",
    "GS204": "SQL that this load cannot run incrementally",
    "GS205": "SQL whose result would differ when run again",
    "GS206": "A Python table's code cannot be used",
    "GS207": "SQL whose result depends on the order of rows",
    "GS301": "A landing folder is not there",
    "GS302": "A file cannot be read",
    "GS303": "A file changed while it was read",
    "GS304": "A file was replaced after it was loaded",
    "GS305": "A file has a new column, or lacks a declared one",
    "GS306": "A file of the ledger is missing",
    "GS307": "An upstream table has not been loaded yet",
    "GS308": "A feed failed or is not there",
    "GS401": "A table's folder holds something that is not Delta",
    "GS402": "The storage cannot be written",
    "GS403": "A query failed in Spark",
    "GS404": "An upstream lost rows that an append has taken already",
    "GS405": "A table's declaration changed and its rebuild is refused",
    "GS406": "A table was written by something other than Goldsmith",
    "GS407": "A table's properties, comments or clustering cannot be what is declared",
    "GS410": "The object store cannot be reached",
    "GS411": "The object store refuses the keys",
    "GS412": "A bucket is not there",
    "GS413": "The clocks of this machine and of the object store disagree",
    "GS420": "The object store has no conditional writes",
    "GS430": "The catalog cannot be reached",
    "GS431": "The catalog knows something else under a table's name",
    "GS501": "A gate stopped the load",
    "GS502": "Another run holds the table",
    "GS503": "Rows in and rows accounted for disagree",
    "GS504": "The call names something that cannot be run",
    "GS505": "An interval runs backwards",
    "GS506": "The run was interrupted",
    "GS507": "An interval lies in the future",
    "GS601": "Quarantined rows cannot be released",
    "GS701": "DQOps cannot be reached",
    "GS702": "DQOps answers with an error",
    "GS703": "DQOps does not end its checks in time",
    "GS704": "DQOps did not run what it had to",
    "GS705": "DQOps' checks stopped a table",
    "GS706": "DQOps' results are not there, or cannot be read",
    "GS711": "DQOps' user home holds what DQOps would pass over",
    "GS712": "DQOps' user home is not as the declarations say",
    "GS721": "Superset cannot be reached",
    "GS722": "Superset refuses the log-in",
    "GS723": "Superset answers with an error",
    "GS724": "A raw Superset file cannot be used",
    "GS725": "Superset's assets are not as the declarations say",
    "GS726": "A dashboard in Superset cannot be pulled or replaced",
    "GS901": "No usable Java",
    "GS902": "Spark's additional jars are not installed, or are not the pinned ones",
    "GS903": "A package that this declaration needs is not installed",
    "GS904": "An environment variable that a profile names is not set",
    "GS905": "The Spark master cannot be reached",
    "GS906": "A Spark session that Goldsmith cannot use runs already",
    "GS907": "No archive of classes could be made",
    "GS908": "An Airflow connection is not declared",
    "GS909": "The Spark master gives no executor",
    "GS921": "A port is taken",
    "GS922": "The metastore's database holds another Hive's schema",
    "GS923": "The metastore cannot use its database",
    "GS924": "A service cannot write its folder",
    "GS925": "A file for log-in or encryption cannot be used",
    "GS926": "An account of the Thrift Server reads other schemas",
    "GS927": "The cluster's secret is not set",
    "GS928": "No folder for event logs is set",
    "GS999": "A defect in Goldsmith",
}
"""Every code and the title the documentation lists it under."""


class Exit(IntEnum):
    """The exit codes of the command."""

    DONE = 0
    FAILED = 1
    WRONG_CALL = 2
    GATE = 3
    NOT_READY = 4


@dataclass(frozen=True)
class Where:
    """A place: in a declaration, in SQL, in a table or in a data file. Lines and columns count from 1."""

    file: Path | str | None = None
    line: int | None = None
    column: int | None = None
    table: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        place = str(self.file) if self.file is not None else ""
        if place and self.line is not None:
            place += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        names = [self.table, f"column {self.field}" if self.field else None]
        return ", ".join(part for part in (place, *names) if part)


class GoldsmithError(Exception):
    """Something a person can act on.

    code: a key of CODES. message: what is wrong. where: the place. hint: what to do.
    retryable: True if the same call may succeed later with nothing changed by hand.
    """

    exit_code: Exit = Exit.FAILED

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: Where | None = None,
        hint: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where or Where()
        self.hint = hint
        self.retryable = retryable
        if hint is not None:
            # A script that does not catch it shows its notes below the stack.
            self.add_note(hint)

    def __str__(self) -> str:
        place = str(self.where)
        return f"{self.code} {self.message}" + (f" ({place})" if place else "")


class DeclarationError(GoldsmithError):
    """One mistake in a declaration, or in the way the command was called."""

    exit_code = Exit.WRONG_CALL


class DeclarationErrors(GoldsmithError):  # noqa: N818 - a bundle of errors
    """All the mistakes found in a project, in the order of files and lines."""

    exit_code = Exit.WRONG_CALL

    def __init__(self, problems: Sequence[DeclarationError]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(
            self.problems[0].code,
            f"{count} mistake{'s' if count != 1 else ''} in the declarations",
            where=self.problems[0].where,
        )


class SourceError(GoldsmithError):
    """What a table reads from is missing, broken or was changed."""


class StorageError(GoldsmithError):
    """A table cannot be read or written where it lives."""


class RunError(GoldsmithError):
    """A table's load failed."""


class GateStopped(GoldsmithError):  # noqa: N818 - a verdict about the data, not a fault
    """An expectation with `otherwise: fail` did not hold; nothing was written. verdicts: of all expectations."""

    exit_code = Exit.GATE

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: Where | None = None,
        hint: str | None = None,
        verdicts: tuple[object, ...] = (),
    ) -> None:
        super().__init__(code, message, where=where, hint=hint)
        self.verdicts = verdicts


class NotReady(GoldsmithError):  # noqa: N818 - a state of the machine, not a fault
    """The machine lacks something that Goldsmith needs."""

    exit_code = Exit.NOT_READY
