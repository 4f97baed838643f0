"""ZIP files, as various programs write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping


class _Pipe(io.BytesIO):
    """A target that cannot seek, as standard output: sizes stand behind the members."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("not seekable")


def zipped(
    members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, streamed: bool = False
) -> bytes:
    """A ZIP file of members by name; a name that ends in `/` is a folder. streamed: written to a pipe."""
    content = _Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, member in members.items():
            # Without a date, equal members give equal bytes.
            archive.writestr(zipfile.ZipInfo(name), member, method)
    return content.getvalue()
