"""Background tiles of maps: land and borders, drawn from the outlines that Superset ships, without downloads.

`python -m goldsmith_superset.map_tiles FILE` reads the outlines once, for the image; SUPERSET_GROUND is the path of the
file. Without it, the first opened map waits for this.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

Point = tuple[float, float]
Ring = Sequence[Sequence[float]]
"""A closed line in Web Mercator, with a world of 1 by 1 and its origin in the north-west."""

SIZE = 256
MAX_ZOOM = 19
"""The maximum zoom level of a map."""
_STEP = 1 / 2**15
"""The minimum distance of two points: a third of a pixel at zoom 7."""
_WATER, _LAND, _BORDER = (226, 232, 240), (248, 250, 252), (148, 163, 184)
_POLAR = 85.05
_INSETS = {"US-AK": (-178.34, 51.21, -129.99, 71.39), "US-HI": (-178.33, 18.91, -154.81, 28.4)}
"""Regions that the outlines show as insets: their actual west, south, east and north."""

_building = Lock()


def projected(longitude: float, latitude: float) -> Point:
    """A coordinate in Web Mercator."""
    limited = math.radians(max(-_POLAR, min(_POLAR, latitude)))
    return (longitude + 180) / 360, (1 - math.asinh(math.tan(limited)) / math.pi) / 2


def rings_of(document: dict[str, Any]) -> Iterator[Ring]:
    """The outlines in a GeoJSON document, simplified."""
    for feature in document.get("features") or ():
        geometry = feature.get("geometry") or {}
        polygons = geometry.get("coordinates") or ()
        if geometry.get("type") == "Polygon":
            polygons = [polygons]
        elif geometry.get("type") != "MultiPolygon":
            continue
        move = _moved(polygons, _INSETS.get(str((feature.get("properties") or {}).get("ISO"))))
        for polygon in polygons:
            # The first ring is the outline; the others are lakes, which borders cross anyway.
            ring = _simplified(projected(*move(*point[:2])) for point in polygon[0])
            if len(ring) > 2:  # noqa: PLR2004 - a line has no inside
                yield ring


def _moved(
    polygons: Sequence[Any], bounds: tuple[float, float, float, float] | None
) -> Callable[[float, float], Point]:
    """The transformation of points to coordinates: none, or stretched to the bounds."""
    if bounds is None:
        return lambda longitude, latitude: (longitude, latitude)
    points = [point for polygon in polygons for point in polygon[0]]
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    west, south, east, north = bounds
    min_x, min_y = min(xs), min(ys)
    across, up = (east - west) / (max(xs) - min_x), (north - south) / (max(ys) - min_y)
    return lambda longitude, latitude: (
        west + (longitude - min_x) * across,
        south + (latitude - min_y) * up,
    )


def _simplified(points: Iterable[Point]) -> list[Point]:
    kept: list[Point] = []
    for x, y in points:
        if not kept or abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= _STEP:
            kept.append((round(x, 7), round(y, 7)))
    return kept


def outlines(shipped: Path, cache: Path) -> list[Ring]:
    """All outlines of the files that Superset ships. cache: the file with the result for the next start."""
    if cache.is_file():
        found: list[Ring] = json.loads(gzip.decompress(cache.read_bytes()))
        return found
    found = [
        ring
        for file in sorted(shipped.glob("*.geojson"))
        for ring in rings_of(json.loads(file.read_text(encoding="utf-8")))
    ]
    partial = cache.with_name(f".{cache.name}.{os.getpid()}")
    partial.write_bytes(gzip.compress(json.dumps(found, separators=(",", ":")).encode(), 5))
    partial.replace(cache)
    return found


@dataclass(frozen=True)
class MapBackground:
    """Outlines to draw. bounds: west, north, east and south of each outline."""

    rings: tuple[Any, ...]
    bounds: Any

    @classmethod
    def of(cls, rings: Iterable[Ring]) -> MapBackground:
        arrays = tuple(np.asarray(ring, dtype=float) for ring in rings)
        return cls(arrays, np.array([[*ring.min(axis=0), *ring.max(axis=0)] for ring in arrays]))

    def tile(self, z: int, x: int, y: int) -> bytes:
        """A tile as a PNG image."""
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (SIZE, SIZE), _WATER)
        draw = ImageDraw.Draw(image)
        scale = 2**z
        west, north, east, south = self.bounds.T * scale
        near = (east >= x) & (west <= x + 1) & (south >= y) & (north <= y + 1)
        for at in np.flatnonzero(near):
            pixels = np.rint((self.rings[at] * scale - (x, y)) * SIZE)
            # Merge points on the same pixel.
            moved = np.any(np.diff(pixels, axis=0, prepend=np.inf) != 0, axis=1)
            points = [(px, py) for px, py in pixels[moved].tolist()]
            if len(points) > 1:
                draw.polygon(points, fill=_LAND, outline=_BORDER)
        out = io.BytesIO()
        image.quantize(16).save(out, "PNG")
        return out.getvalue()


def _shipped() -> Path:
    spec = importlib.util.find_spec("superset")
    assert spec is not None
    return Path(str(spec.origin)).parent / "static" / "assets"


@lru_cache(maxsize=1)
def _background() -> MapBackground:
    named = os.environ.get("SUPERSET_GROUND")
    home = Path(os.environ.get("SUPERSET_HOME") or Path.home())
    return MapBackground.of(outlines(_shipped(), Path(named) if named else home / "ground.json.gz"))


@lru_cache(maxsize=2048)
def _tile(z: int, x: int, y: int) -> bytes:
    # Concurrent first requests read the files only once.
    with _building:
        background = _background()
    return background.tile(z, x, y)


def install(app: Any) -> None:
    """Adds the tiles at /ground/ZOOM/X/Y.png, for all visitors of the pages."""
    from flask import Response, abort

    @app.get("/ground/<int:z>/<int:x>/<int:y>.png")  # type: ignore[untyped-decorator]
    def ground(z: int, x: int, y: int) -> Response:
        if z > MAX_ZOOM or x >= 2**z or y >= 2**z:
            abort(404)
        tile = Response(_tile(z, x, y), mimetype="image/png")
        tile.headers["Cache-Control"] = "public, max-age=604800"
        return tile


if __name__ == "__main__":
    sys.stdout.write(f"{len(outlines(_shipped(), Path(sys.argv[1])))} outlines\n")
