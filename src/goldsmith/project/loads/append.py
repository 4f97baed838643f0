"""The load `append`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from goldsmith.project.loads.base import DeclaredLoad

if TYPE_CHECKING:
    from goldsmith.project.sql.statement import Analysis


class Append(DeclaredLoad):
    """Appends the rows of the change set."""

    kind: Literal["append"] = "append"
    accumulates: ClassVar[bool] = True

    def incremental_reason(self, driver: str, *, removed: bool, refused: bool) -> str:
        if removed and refused:
            return f"{driver} changed rows; only added rows can be appended"
        return super().incremental_reason(driver, removed=removed, refused=refused)

    def refusal(self, analysis: Analysis, driver: str) -> str | None:
        return analysis.linear_in(driver)
