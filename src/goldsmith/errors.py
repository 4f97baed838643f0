"""The errors of Goldsmith: each has a stable code, a message, a location and a hint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

CODES: dict[str, str] = {
    "GS100": "No project found",
    "GS101": "A YAML file does not parse",
    "GS102": "Unknown key",
    "GS103": "A value of the wrong type",
    "GS104": "A required key is missing",
    "GS105": "Duplicate table, key or name",
    "GS106": "A table's SQL or Python file is missing or ambiguous",
    "GS107": "Tables depend on each other in a cycle",
    "GS108": "Unknown table, pipeline, layer or profile",
    "GS109": "Invalid name or location of a file",
    "GS110": "Contradictory declaration",
    "GS201": "SQL does not parse",
    "GS202": "SQL reads a table that is not declared",
    "GS203": "Unknown or ambiguous column",
    "GS204": "SQL that the load cannot compute incrementally",
    "GS205": "Non-deterministic SQL",
    "GS206": "A Python table's code cannot be used",
    "GS207": "SQL that depends on the order of rows",
    "GS208": "Unknown function",
    "GS301": "A landing folder does not exist",
    "GS302": "A file cannot be read",
    "GS303": "A file changed while it was read",
    "GS304": "A file was replaced after it was loaded",
    "GS305": "A file has a new column, or lacks a declared one",
    "GS306": "A file of the ledger is missing",
    "GS307": "An upstream table has not been loaded yet",
    "GS308": "A feed failed or is missing",
    "GS309": "An extract failed",
    "GS310": "A connection cannot be read",
    "GS401": "A table's folder contains other files",
    "GS402": "The storage cannot be written",
    "GS403": "A query failed in Spark",
    "GS404": "An upstream lost rows that an append has loaded",
    "GS405": "A table's declaration changed and its rebuild is refused",
    "GS406": "A table was written by another program",
    "GS407": "A table's properties, comments or clustering cannot be applied",
    "GS408": "A table's commits are kept by a catalog",
    "GS409": "A table's log lacks files",
    "GS410": "The object store cannot be reached",
    "GS411": "The object store refuses the keys",
    "GS412": "A bucket does not exist",
    "GS413": "The clocks of this machine and of the object store disagree",
    "GS420": "The object store has no conditional writes",
    "GS430": "The catalog cannot be reached",
    "GS431": "Another table has the name in the catalog",
    "GS440": "The Thrift Server cannot be reached",
    "GS441": "The Thrift Server refuses the log-in",
    "GS501": "A gate stopped the load",
    "GS502": "Another run has locked the table",
    "GS503": "Row counts do not add up",
    "GS504": "Invalid options of a command",
    "GS505": "An empty interval",
    "GS506": "The run was interrupted",
    "GS507": "An interval in the future",
    "GS508": "A load would quarantine too many rows",
    "GS509": "A load would read everything",
    "GS601": "Quarantined rows cannot be released",
    "GS701": "DQOps cannot be reached",
    "GS702": "DQOps returns an error",
    "GS703": "DQOps' checks exceed their time limit",
    "GS704": "DQOps did not run all checks",
    "GS705": "A DQOps gate stopped a table",
    "GS706": "DQOps' results are missing or cannot be read",
    "GS711": "DQOps' user home has content that DQOps would ignore",
    "GS712": "DQOps' user home is out of date",
    "GS721": "Superset cannot be reached",
    "GS722": "Superset refuses the login",
    "GS723": "Superset returns an error",
    "GS724": "A raw Superset file cannot be used",
    "GS725": "Superset's assets are out of date",
    "GS726": "A dashboard in Superset cannot be pulled or replaced",
    "GS901": "No usable Java",
    "GS902": "Spark's additional jars are not installed, or are not the pinned ones",
    "GS903": "A required package is not installed",
    "GS904": "An environment variable of a profile is not set",
    "GS905": "The Spark master cannot be reached",
    "GS906": "Another Spark session is already running",
    "GS907": "The class archive cannot be created",
    "GS908": "An Airflow connection is not declared",
    "GS909": "The Spark master grants no executor",
    "GS921": "A port is in use",
    "GS922": "The metastore's database holds another Hive's schema",
    "GS923": "The metastore cannot use its database",
    "GS924": "A service cannot write its folder",
    "GS925": "A file for log-in or encryption cannot be used",
    "GS926": "An account of the Thrift Server may not read a table",
    "GS927": "The cluster's secret is not set",
    "GS928": "No folder for event logs is configured",
    "GS999": "A defect in Goldsmith",
}
"""All error codes with their titles in the documentation."""


class Exit(IntEnum):
    """The exit codes of the command."""

    DONE = 0
    FAILED = 1
    WRONG_CALL = 2
    GATE = 3
    NOT_READY = 4
    NEEDS_SPARK = 5


@dataclass(frozen=True)
class Where:
    """A location in a declaration, SQL, a table or a data file. Lines and columns are counted from 1."""

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
    """Base class of all errors that users can act on.

    code: a key of CODES. message: what is wrong. where: the location. hint: what to do.
    retryable: True if the same call may succeed later without a change.
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
            # Python prints notes below the stack of an uncaught exception.
            self.add_note(hint)

    def __str__(self) -> str:
        place = str(self.where)
        return f"{self.code} {self.message}" + (f" ({place})" if place else "")


class DeclarationError(GoldsmithError):
    """A mistake in a declaration, or in the options of a command."""

    exit_code = Exit.WRONG_CALL


class DeclarationErrors(GoldsmithError):  # noqa: N818 - several errors
    """All mistakes in a project, in the order of files and lines."""

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
    """A table's source is missing, damaged or was changed."""


class StorageError(GoldsmithError):
    """A table cannot be read or written in its storage."""


class RunError(GoldsmithError):
    """A table's load failed."""


class GateStopped(GoldsmithError):  # noqa: N818 - about the data, not a fault
    """An expectation with `otherwise: fail` was not met; nothing was written. verdicts: those of all expectations."""

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
    """The environment is not ready: something that Goldsmith needs is missing."""

    exit_code = Exit.NOT_READY
