"""Stable names: a declaration has the same UUID on every machine, and the UUID identifies the project."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

_ROOT = uuid5(NAMESPACE_URL, "urn:goldsmith:superset")
_MARK = 8


@dataclass(frozen=True)
class Names:
    """The UUIDs of a project's assets.

    All start with the same eight digits, derived from the project's name. A push removes assets in Superset with these
    digits that are no longer declared.
    """

    project: str

    @property
    def mark(self) -> str:
        return uuid5(_ROOT, self.project).hex[:_MARK]

    def uuid(self, kind: str, *name: str) -> str:
        """The UUID of an asset. kind: database, dataset, chart or dashboard."""
        rest = uuid5(_ROOT, json.dumps((self.project, kind, *name))).hex[_MARK:]
        return str(UUID(self.mark + rest))

    def is_ours(self, uuid: str) -> bool:
        return uuid.replace("-", "").lower().startswith(self.mark)


def slug(text: str) -> str:
    """A title as a file name: lower-case letters, digits and _."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "untitled"
