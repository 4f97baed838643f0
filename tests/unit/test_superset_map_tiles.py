"""Background tiles of maps, without Superset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from goldsmith_superset.map_tiles import SIZE, MapBackground, outlines, projected, rings_of

SQUARE = {
    "type": "FeatureCollection",
    "features": [
        {
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[-90, -45], [0, -45], [0, 45], [-90, 45], [-90, -45]]],
            }
        },
        {"geometry": {"type": "Point", "coordinates": [1, 1]}},
    ],
}


def test_coordinates_are_projected_to_web_mercator() -> None:
    assert projected(-180, 85.06) == pytest.approx((0, 0), abs=1e-3)
    assert projected(0, 0) == pytest.approx((0.5, 0.5))
    assert projected(180, -85.06) == pytest.approx((1, 1), abs=1e-3)


def test_outlines_are_cached(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(SQUARE))
    cache = tmp_path / "ground.json.gz"
    first = outlines(tmp_path, cache)
    assert len(first) == 1
    (tmp_path / "a.geojson").unlink()
    assert [[tuple(point) for point in ring] for ring in outlines(tmp_path, cache)] == first


def test_tile_shows_land() -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    import io

    tile = image.open(io.BytesIO(MapBackground.of(rings_of(SQUARE)).tile(0, 0, 0))).convert("RGB")
    assert tile.size == (SIZE, SIZE)
    land, water = tile.getpixel((96, 128)), tile.getpixel((200, 128))
    assert sum(land) > sum(water), "land is lighter than water"


def test_inset_is_drawn_at_its_actual_location() -> None:
    ring = [[[-120, 24], [-110, 24], [-110, 31], [-120, 31], [-120, 24]]]
    alaska = {"properties": {"ISO": "US-AK"}, "geometry": {"type": "Polygon", "coordinates": ring}}
    (found,) = rings_of({"features": [alaska]})
    east, south = projected(-129.99, 51.21)
    assert max(x for x, _ in found) == pytest.approx(east, abs=1e-4)
    assert max(y for _, y in found) == pytest.approx(south, abs=1e-4)
