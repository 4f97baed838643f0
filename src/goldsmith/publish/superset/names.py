"""Names that stay: the same declaration has the same UUID on every machine, and one tells whose it is."""

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

    All begin with the same eight digits, made of the project's name: what Superset holds under such a UUID
    and the declarations no longer name was ours, and is removed.
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
    """A title as a file's name: lower case, digits and _."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "untitled"
