"""Dependencies between tables: cycles, loading order, downstream tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def find_cycle(upstreams: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """A cycle of names with the first one repeated at its end, or None. Names without an entry are ignored."""
    done: set[str] = set()
    for start in sorted(upstreams):
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, left = stack.pop()
            if left:
                path.pop()
                done.add(name)
                continue
            if name in path:
                return (*path[path.index(name) :], name)
            if name in done or name not in upstreams:
                continue
            path.append(name)
            stack.append((name, True))
            stack.extend((upstream, False) for upstream in sorted(upstreams[name], reverse=True))
    return None


def in_order(upstreams: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """All names, each after its upstreams, else by name. In a cycle some name comes before its upstream."""
    ordered: dict[str, None] = {}
    begun: set[str] = set()
    stack = [(name, False) for name in sorted(upstreams, reverse=True)]
    while stack:
        name, ready = stack.pop()
        if ready:
            ordered[name] = None
        elif name in upstreams and name not in begun:
            begun.add(name)
            stack.append((name, True))
            stack.extend((upstream, False) for upstream in sorted(upstreams[name], reverse=True))
    return tuple(ordered)


def downstream_of(names: Iterable[str], upstreams: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Every table that reads one of `names`, directly or indirectly, without `names` themselves."""
    reached = set(names)
    begun = set(reached)
    for name in in_order(upstreams):
        if reached.intersection(upstreams[name]):
            reached.add(name)
    return frozenset(reached - begun)
