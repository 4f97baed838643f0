"""The layout of the pipeline graph: columns by layer, few crossings, no Spark, no SVG.

It is the layered layout of Sugiyama, Tagawa and Toda (1981): ranks, waypoints where an edge crosses a rank, and sweeps
that move each item to the mean position of its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from goldsmith.project.models import LAYERS, Layer
from goldsmith.publish.report.model import TableReport

BOX_HEIGHT = 52.0
GAP = 14.0
COLUMN_GAP = 74.0
TOP = 34.0
MARGIN = 10.0
WAYPOINT_HEIGHT = 6.0
SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Box:
    """A table's position, in pixels."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between two tables: its points, each as (left x, right x, y)."""

    source: str
    target: str
    points: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class GraphLayout:
    """Positions of all boxes and edges. layers: (layer, x, width) of the columns of each layer."""

    width: float
    height: float
    box_width: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    layers: tuple[tuple[Layer, float, float], ...]


_Item = tuple[str, str, int]
"""(table, "", rank) for a box; (source, target, rank) for a waypoint."""


def layout(tables: Sequence[TableReport], box_width: float) -> GraphLayout:
    """The layout of the tables and their edges. Upstreams that are not among the tables are ignored."""
    ranks, spans = _ranks(tables)
    columns: dict[int, list[_Item]] = {rank: [] for rank in range(max(ranks.values(), default=-1) + 1)}
    for table in tables:
        columns[ranks[table.name]].append((table.name, "", ranks[table.name]))
    chains: list[list[_Item]] = []
    for table in tables:
        for upstream in table.upstreams:
            if upstream not in ranks or ranks[upstream] >= ranks[table.name]:
                continue
            first, last = ranks[upstream], ranks[table.name]
            waypoints = [(upstream, table.name, rank) for rank in range(first + 1, last)]
            for item in waypoints:
                columns[item[2]].append(item)
            chains.append([(upstream, "", first), *waypoints, (table.name, "", last)])
    tops = _arrange(columns, chains)
    height = max((tops[item] + _height(item) for item in tops), default=TOP) + MARGIN
    step = box_width + COLUMN_GAP
    width = 2 * MARGIN + len(columns) * step - COLUMN_GAP if columns else 2 * MARGIN
    left = {rank: MARGIN + rank * step for rank in columns}
    return GraphLayout(
        width,
        height,
        box_width,
        tuple(Box(item[0], left[item[2]], tops[item]) for item in tops if not item[1]),
        tuple(
            Edge(
                chain[0][0],
                chain[-1][0],
                tuple((left[i[2]], left[i[2]] + box_width, tops[i] + _height(i) / 2) for i in chain),
            )
            for chain in chains
        ),
        tuple(
            (layer, left[first], left[last] - left[first] + box_width)
            for layer, (first, last) in spans.items()
        ),
    )


def _ranks(tables: Sequence[TableReport]) -> tuple[dict[str, int], dict[Layer, tuple[int, int]]]:
    """Each table's column, after its upstreams in the layer, and each layer's first and last column."""
    ranks: dict[str, int] = {}
    spans: dict[Layer, tuple[int, int]] = {}
    start = 0
    for layer in LAYERS:
        inside = {table.name: table for table in tables if table.layer == layer}
        depths: dict[str, int] = {}
        for name in inside:
            _depth(name, inside, depths)
        if inside:
            deepest = max(depths.values())
            ranks.update({name: start + depth for name, depth in depths.items()})
            spans[layer] = (start, start + deepest)
            start += deepest + 1
    return ranks, spans


def _depth(name: str, inside: Mapping[str, TableReport], depths: dict[str, int]) -> int:
    if name not in depths:
        depths[name] = 0
        above = [u for u in inside[name].upstreams if u in inside and u != name]
        depths[name] = max((_depth(upstream, inside, depths) + 1 for upstream in above), default=0)
    return depths[name]


def _arrange(columns: dict[int, list[_Item]], chains: Sequence[Sequence[_Item]]) -> dict[_Item, float]:
    """The top of each item, after sweeps from left to right and back."""
    before: dict[_Item, list[_Item]] = {}
    after: dict[_Item, list[_Item]] = {}
    for chain in chains:
        for one, two in pairwise(chain):
            before.setdefault(two, []).append(one)
            after.setdefault(one, []).append(two)
    tops: dict[_Item, float] = {}
    for items in columns.values():
        _pack(items, dict.fromkeys(items, 0.0), tops)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for rank in sorted(columns, reverse=not forward):
            wanted: dict[_Item, float] = {}
            for item in columns[rank]:
                near = (before if forward else after).get(item) or []
                middles = [tops[other] + _height(other) / 2 for other in near]
                own = tops[item] + _height(item) / 2
                wanted[item] = sum(middles) / len(middles) if middles else own
            columns[rank].sort(key=lambda item: wanted[item])
            _pack(columns[rank], wanted, tops)
    highest = min(tops.values(), default=0.0)
    return {item: top - highest + TOP for item, top in tops.items()}


def _pack(items: Sequence[_Item], wanted: Mapping[_Item, float], tops: dict[_Item, float]) -> None:
    """Stacks the items of a column as close to their wanted centers as their order allows.

    Overlapping items form a block with a mean shift of zero (pool adjacent violators).
    """
    blocks: list[list[float]] = []
    offsets: list[float] = []
    offset = 0.0
    for item in items:
        offsets.append(offset)
        blocks.append([wanted[item] - _height(item) / 2 - offset, 1.0])
        offset += _height(item) + GAP
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            start, size = blocks.pop()
            earlier, many = blocks.pop()
            blocks.append([(earlier * many + start * size) / (many + size), many + size])
    starts = [start for start, size in blocks for _ in range(int(size))]
    for item, start, shift in zip(items, starts, offsets, strict=True):
        tops[item] = start + shift


def _height(item: _Item) -> float:
    return WAYPOINT_HEIGHT if item[1] else BOX_HEIGHT
