"""The tree of a running router, drawn as lines of text from what `GET /admin/tree` says. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ucr.jsontext import JsonObject

_MEGABYTE = 1024 * 1024
_SHOWN = (
    ("in_flight", "in flight"),
    ("limit", "limit"),
    ("waiting", "waiting"),
    ("granted", "granted"),
    ("succeeded", "succeeded"),
    ("abandoned", "abandoned"),
    ("entries", "entries"),
    ("bytes", "bytes"),
    ("hits", "hits"),
    ("misses", "misses"),
    ("limits", "limits"),
    ("borrowers", "borrowers"),
    ("lent", "lent"),
    ("short", "short"),
)
"""The statistics that have a place in a line, and the words for them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A line, and those that hang below it."""

    text: str
    below: tuple["Node", ...] = ()


def drawn(tree: JsonObject, title: str) -> list[str]:
    """Return the lines of the whole tree."""
    parent = tree.get("parent")
    nodes = [] if parent is None else [_parent(parent)]
    nodes += [_worker(worker) for worker in tree.get("workers", ())]
    store = tree.get("store")
    nodes += [] if store is None else [_store(store)]
    return [title, *_lines(nodes, "")]


def _lines(nodes: Iterable[Node], indent: str) -> Iterator[str]:
    nodes = tuple(nodes)
    for node in nodes:
        is_last = node is nodes[-1]
        yield f"{indent}{'└─' if is_last else '├─'} {node.text}"
        yield from _lines(node.below, f"{indent}{'  ' if is_last else '│ '} ")


def _parent(parent: JsonObject) -> Node:
    return Node(f"parent  {_process(parent)}", tuple(map(_child, parent["children"])))


def _worker(worker: JsonObject) -> Node:
    text = f"worker {worker['worker']}  {_process(worker)}, {worker['open_requests']} open requests"
    return Node(text, tuple(map(_child, worker["children"])))


def _store(store: JsonObject) -> Node:
    return Node(f"store  {_process({'state': 'serving', **store})}", tuple(map(_child, store["children"])))


def _process(one: JsonObject) -> str:
    size = f", {one['rss_bytes'] / _MEGABYTE:.1f} MB" if one["rss_bytes"] else ""
    return f"{one['state']}, pid {one['pid']}, generation {one['generation']}{size}"


def _child(child: JsonObject) -> Node:
    words = [f"{child['name']}  {child['state']}"]
    if child["restarts"] or child["crashes"]:
        words.append(f"{child['crashes']} crashes, {child['restarts']} restarts")
    mailbox = child.get("mailbox")
    if mailbox is not None:
        words.append(
            f"mailbox {mailbox['queued']} queued, {mailbox['unanswered']}/{mailbox['capacity']} unanswered"
        )
    words += _statistics(child.get("statistics") or {})
    return Node("; ".join(words), tuple(map(_child, child.get("children", ()))))


def _statistics(statistics: Mapping[str, Any]) -> list[str]:
    numbers = [f"{word} {statistics[name]}" for name, word in _SHOWN if name in statistics]
    failures = statistics.get("failures") or {}
    numbers += [f"{kind} failures {count}" for kind, count in failures.items()]
    breakers = {"connecting": statistics.get("breaker"), **(statistics.get("breakers") or {})}
    opened = [_breaker(name, one) for name, one in breakers.items() if one and one.get("state") != "closed"]
    cooling = sum(1 for key in statistics.get("keys") or () if key.get("cooling_in_s"))
    return [
        *([", ".join(numbers)] if numbers else []),
        *opened,
        *([f"keys cooling: {cooling}"] if cooling else []),
    ]


def _breaker(name: str, breaker: Mapping[str, Any]) -> str:
    left = breaker.get("opened_in_s")
    return f"breaker of {name} {breaker['state']}" + (f" for {left:.0f} s" if left else "")
