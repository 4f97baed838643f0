"""The load `overwrite`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from goldsmith.project.loads.base import DeclaredLoad

if TYPE_CHECKING:
    pass


class Overwrite(DeclaredLoad):
    """Replaces the whole table; unchanged content makes no commit."""

    kind: Literal["overwrite"] = "overwrite"
    incremental: ClassVar[bool] = False
    max_drivers: ClassVar[int | None] = 0
