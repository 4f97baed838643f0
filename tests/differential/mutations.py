"""Mistakes to put back into Goldsmith one at a time: each must be found by a test or by seeds.

`python -m differential.mutating` applies them; see there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One mistake. file: below src/. old: text that is there once. new: what takes its place.

    found_by: pytest's selection, or `seeds A:B` for the differential tester.
    """

    name: str
    file: str
    old: str
    new: str
    found_by: str


SLICES = "goldsmith/run/slices.py"
PLANNING = "goldsmith/run/planning.py"
TABLES = "goldsmith/project/tables.py"
LOG = "goldsmith/engine/log.py"

MUTATIONS: tuple[Mutation, ...] = (
    # Values that are changed on their way.
    Mutation(
        "JSON numbers pass through double",
        "goldsmith/engine/json_text.py",
        """    return f\"\"\"regexp_replace({text}, r'{_STRING_OR_NUMBER}', '"$1$2"')\"\"\"\n""",
        "    return text\n",
        "seeds 20,38,40,52",
    ),
    Mutation(
        "a cast of text rounds, and drops times and zones",
        "goldsmith/engine/casting.py",
        "    match wanted:\n        case DecimalType():\n            return _decimal_fits",
        "    match None:\n        case DecimalType():\n            return _decimal_fits",
        "seeds 0:10",
    ),
    # Rows that incremental loads miss.
    Mutation(
        "removed rows do not reach a merge",
        SLICES,
        "    if changes.removed is not None:\n        touched =",
        "    if False:\n        touched =",
        "seeds 29,35,37",
    ),
    Mutation(
        "a changed lookup does not rebuild",
        PLANNING,
        '    if lookups:\n        return whole("rebuild"',
        '    if False:\n        return whole("rebuild"',
        "seeds 80,73,60",
    ),
    Mutation(
        "a reference that also drives does not rebuild",
        PLANNING,
        "    deciding = [name for name in drivers if name in table.deciding]\n",
        "    deciding: list[str] = []\n",
        "tests/spark/test_lookups.py",
    ),
    Mutation(
        "an exception that is taken back does not rebuild",
        TABLES,
        "return content == self._content and self.exceptions.issuperset(exceptions)",
        "return content == self._content",
        "tests/spark/test_lookups.py",
    ),
    Mutation(
        "a text that is a moment of the run is allowed",
        "goldsmith/project/sql_moments.py",
        '_MOMENT = re.compile(r"\\s*(?:now\\s*$|',
        '_MOMENT = re.compile(r"\\s*(?:neverever\\s*$|',
        "tests/unit/test_sql_claims.py tests/unit/test_sql_columns.py tests/unit/test_definition.py",
    ),
    Mutation(
        "another program's append within a load stays unnoticed",
        LOG,
        "        return {other.operation for other in between if other.added or other.removed}",
        "        return set()",
        "tests/spark/test_changed_projects.py",
    ),
    Mutation(
        "a change of schema upstream is read as changes of rows",
        PLANNING,
        "    if altered:\n",
        "    if False:\n",
        "tests/spark/test_changed_projects.py",
    ),
    # Rows that are not counted.
    Mutation(
        "blank lines of one column and lines of tabs vanish",
        "goldsmith/engine/lines.py",
        """    blanks_count = len(names) == 1 or not options["sep"].strip(BLANKS)""",
        """    blanks_count = False""",
        "seeds 11,19",
    ),
    Mutation(
        "an open quote swallows the records after it",
        "goldsmith/engine/lines.py",
        """    return flag(options, "multiline") or blanks_count""",
        """    return blanks_count""",
        "seeds 106,109",
    ),
    Mutation(
        "-0.0 and 0.0 are one value among changes",
        "goldsmith/engine/changes.py",
        "    forms = {field.name: exact(quoted(field.name), field.dataType) for field in fields}",
        "    forms = {field.name: quoted(field.name) for field in fields}",
        "tests/spark/test_literals.py",
    ),
    # Loads that stop.
    Mutation(
        "keys are not spelt as the query spells them",
        "goldsmith/project/spelling.py",
        "    return tuple(known.get(name.lower(), name) for name in names)",
        "    return names",
        "tests/unit/test_definition.py",
    ),
    Mutation(
        "a wrong query is taken for a bad value",
        "goldsmith/engine/failures.py",
        'condition.partition(".")[0] in _OF_VALUES.split()',
        'condition.startswith("INVALID_")',
        "tests/spark/test_literals.py tests/spark/test_changed_projects.py",
    ),
    Mutation(
        "touched values of binary columns are not their bytes",
        "goldsmith/engine/literals.py",
        "        case BinaryType():\n            return f\"concat('X\\\\'', hex({value}), '\\\\'')\"",
        "        case BinaryType():\n            return text",
        "tests/spark/test_literals.py",
    ),
)
