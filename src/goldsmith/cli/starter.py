"""The files that `goldsmith init` writes: a small pipeline that runs as it is."""

from __future__ import annotations

import json
from pathlib import Path

from goldsmith.errors import DeclarationError, DeclarationErrors, Where
from goldsmith.project.documents import read_document
from goldsmith.project.models import NAME, ProfileSpec, ProjectSpec
from goldsmith.project.reading import MARKER
from goldsmith.project.schemas import json_schemas
from goldsmith.project.validation import validate

_PROJECT = """\
# yaml-language-server: $schema=schema/project.schema.json
name: {name}
max_quarantined: {{share: 10%, rows: 10}}   # a load that quarantines more rows stops before it writes any
profiles:
  local:
    landing: .goldsmith/landing       # where files are delivered
    warehouse: .goldsmith/warehouse   # where tables live
"""

_PIPELINE = """\
# yaml-language-server: $schema=../../schema/pipeline.schema.json
description: What customers ordered, by day.
"""

_BRONZE = """\
# yaml-language-server: $schema=../../../schema/table.schema.json
description: Orders as delivered.
source:
  files: {pipeline}/*.csv   # under the landing folder
  format: csv
columns: {{order_id: int, customer: string, ordered_at: timestamp, amount: "decimal(9,2)", changed_at: timestamp}}
"""

_SILVER = """\
# yaml-language-server: $schema=../../../schema/table.schema.json
description: One row per order, as it was changed last.
load:
  merge: {{key: order_id, newest_by: changed_at}}
columns:
  amount: {{description: What the customer pays.}}
expectations:
  - expect_column_values_to_not_be_null: {{column: customer}}
    otherwise: quarantine
  - expect_column_values_to_be_between: {{column: amount, min_value: 0}}
    otherwise: quarantine
"""

_SILVER_SQL = """\
SELECT order_id, customer, ordered_at, amount, changed_at
FROM bronze.{pipeline}
"""

_GOLD = """\
# yaml-language-server: $schema=../../../schema/table.schema.json
description: Orders and revenue of each day.
load:
  overwrite_partitions: {{by: ordered_on}}   # recomputes only the days that changed
"""

_GOLD_SQL = """\
SELECT CAST(ordered_at AS date) AS ordered_on, count(*) AS orders, sum(amount) AS revenue
FROM silver.{pipeline}
GROUP BY CAST(ordered_at AS date)
"""

_DAY_1 = """\
order_id,customer,ordered_at,amount,changed_at
1,Ada,2026-01-05 09:12:00,19.90,2026-01-05 09:12:00
2,Grace,2026-01-05 11:40:00,5.00,2026-01-05 11:40:00
3,,2026-01-05 12:03:00,7.50,2026-01-05 12:03:00
"""

_DAY_2 = """\
order_id,customer,ordered_at,amount,changed_at
2,Grace,2026-01-05 11:40:00,6.50,2026-01-06 08:00:00
4,Edsger,2026-01-06 10:15:00,42.00,2026-01-06 10:15:00
5,Barbara,2026-01-06 10:20:00,many,2026-01-06 10:20:00
"""


def make_pipeline(root: Path, pipeline: str) -> list[Path]:
    """Writes a pipeline, and the project if there is none; returns the files written.

    Raises DeclarationError GS109 for an invalid name, GS105 if the pipeline exists.
    """
    if not NAME.match(pipeline):
        raise DeclarationError(
            "GS109",
            f"`{pipeline}` is not a valid name.",
            hint="Use lower-case letters, digits and _, and begin with a letter.",
        )
    spec = _project(root)
    landing = spec.profiles.get(spec.profile, ProfileSpec()).landing
    folder = root / spec.pipelines / pipeline
    if folder.exists():
        raise DeclarationError("GS105", f"The pipeline `{pipeline}` exists already.", where=Where(file=folder),
                               hint="Choose another name: `goldsmith init --pipeline NAME`.")  # fmt: skip
    name = root.resolve().name.lower()
    files = {
        MARKER: _PROJECT.format(name=_in_quotes(name)),
        ".gitignore": ".goldsmith/\n",
        **{
            f"schema/{key}.schema.json": json.dumps(content, indent=2) + "\n"
            for key, content in json_schemas().items()
        },
    }
    files = {path: text for path, text in files.items() if not (root / path).exists()}
    base = f"{spec.pipelines}/{pipeline}"
    files |= {
        f"{base}/pipeline.yaml": _PIPELINE,
        f"{base}/bronze/{pipeline}.yaml": _BRONZE.format(pipeline=pipeline),
        f"{base}/silver/{pipeline}.yaml": _SILVER.format(),
        f"{base}/silver/{pipeline}.sql": _SILVER_SQL.format(pipeline=pipeline),
        f"{base}/gold/{pipeline}_by_day.yaml": _GOLD.format(),
        f"{base}/gold/{pipeline}_by_day.sql": _GOLD_SQL.format(pipeline=pipeline),
        f"{landing}/{pipeline}/2026-01-05.csv": _DAY_1,
        f"{landing}/{pipeline}/2026-01-06.csv": _DAY_2,
    }
    for path, text in files.items():
        # The landing folder may be an absolute path.
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return [root / path for path in files]


def _in_quotes(text: str) -> str:
    """A text as a double-quoted YAML string, with JSON's escapes except beyond U+FFFF."""

    def escaped(sign: str) -> str:
        if sign.isprintable() and sign not in '"\\':
            return sign
        return json.dumps(sign)[1:-1] if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"  # noqa: PLR2004

    return f'"{"".join(map(escaped, text))}"'


def _project(root: Path) -> ProjectSpec:
    """The existing project's settings, or the defaults. Raises DeclarationErrors for an invalid project."""
    if not (root / MARKER).is_file():
        return ProjectSpec()
    try:
        return validate(ProjectSpec, read_document(root / MARKER))
    except ExceptionGroup as group:
        raise DeclarationErrors([e for e in group.exceptions if isinstance(e, DeclarationError)]) from None
