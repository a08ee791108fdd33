"""The floors of the architecture: who may import what, and the walls of size and state.

A new module stands on no floor until it is put in `FLOORS`, and so fails here first.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.world.sources import Source, read, sources

DATA, PURE, KERNEL, ACTORS, EDGE, PROCESS = range(6)

FLOORS = {
    "actors": ACTORS,
    "actors.errors": DATA,
    "actors.breaker": PURE,
    "actors.coding": PURE,
    "actors.concurrency": PURE,
    "actors.breakers": PURE,
    "actors.http1": PURE,
    "actors.http2": PURE,
    "actors.allowance": PURE,
    "actors.lending": PURE,
    "actors.proxy": PURE,
    "actors.redis_address": PURE,
    "actors.redis_reply": PURE,
    "actors.sealing": PURE,
    "actors.reader": PURE,
    "actors.rendezvous": PURE,
    "actors.request": PURE,
    "actors.restarts": PURE,
    "actors.stock": PURE,
    "actors.window": PURE,
    "actors.shelf": PURE,
    "actors.totals": PURE,
    "actors.keyring": PURE,
    "actors.lease": PURE,
    "actors.retry_budget": PURE,
    "actors.rolling": PURE,
    "actors.spec": PURE,
    "actors.waiting": PURE,
    "actors.wire": PURE,
    "actors.backing": KERNEL,
    "actors.behind": KERNEL,
    "actors.lookup": KERNEL,
    "actors.cache_spec": PURE,
    "actors.ticket": KERNEL,
    "actors.hot": PURE,
    "actors.actor": KERNEL,
    "actors.bridge": KERNEL,
    "actors.branch": KERNEL,
    "actors.borrower": KERNEL,
    "actors.gate": KERNEL,
    "actors.health": KERNEL,
    "actors.admission": KERNEL,
    "actors.ledger": KERNEL,
    "actors.purse": KERNEL,
    "actors.limits": KERNEL,
    "actors.link": KERNEL,
    "actors.mailbox": KERNEL,
    "actors.ref": KERNEL,
    "actors.supervisor": KERNEL,
    "actors.clock": KERNEL,
    "actors.timers": KERNEL,
    "actors.cache": ACTORS,
    "actors.connection": ACTORS,
    "actors.metrics": ACTORS,
    "actors.network": ACTORS,
    "actors.pool": ACTORS,
    "actors.provider": ACTORS,
    "actors.race": ACTORS,
    "actors.redis": ACTORS,
    "actors.redis_session": ACTORS,
    "actors.redis_sweep": ACTORS,
    "actors.sqlite": ACTORS,
    "actors.sqlite_file": ACTORS,
    "actors.resolver": ACTORS,
    "actors.share": ACTORS,
    "actors.flow": ACTORS,
    "actors.pump": KERNEL,
    "actors.ear": KERNEL,
    "actors.sockets": KERNEL,
    "actors.tls_stream": ACTORS,
    "actors.response": ACTORS,
    "actors.tls": ACTORS,
    "actors.transport": ACTORS,
    "actors.tunnel": ACTORS,
    "ucr": PROCESS,
    "ucr.errors": DATA,
    "ucr.events": DATA,
    "ucr.secret": DATA,
    "ucr.access": PURE,
    "ucr.affinity": PURE,
    "ucr.answer": PURE,
    "ucr.auth": PURE,
    "ucr.auth.sign_in": PURE,
    "ucr.auth.grant": PURE,
    "ucr.auth.credential": PURE,
    "ucr.auth.sealing": EDGE,
    "ucr.auth.file": EDGE,
    "ucr.auth.server": EDGE,
    "ucr.auth.device": EDGE,
    "ucr.auth.renewal": EDGE,
    "ucr.auth.login": EDGE,
    "ucr.auth.command": PROCESS,
    "ucr.catalogue": PURE,
    "ucr.body": PURE,
    "ucr.budget": PURE,
    "ucr.cache_key": PURE,
    "ucr.repeats": EDGE,
    "ucr.again": EDGE,
    "ucr.kept": PURE,
    "ucr.stream_copy": PURE,
    "ucr.choice": PURE,
    "ucr.bridges": PURE,
    "ucr.bridges.asked": PURE,
    "ucr.bridges.blocks": PURE,
    "ucr.bridges.engines": PURE,
    "ucr.bridges.history": PURE,
    "ucr.bridges.images": PURE,
    "ucr.bridges.offer": PURE,
    "ucr.bridges.pages": PURE,
    "ucr.bridges.part": PURE,
    "ucr.bridges.reach": PURE,
    "ucr.bridges.weave": PURE,
    "ucr.bridges.bridge": EDGE,
    "ucr.bridges.fetch": EDGE,
    "ucr.bridges.search": EDGE,
    "ucr.bridges.vision": EDGE,
    "ucr.config.*": PURE,
    "ucr.demo_talk": PURE,
    "ucr.dialects.*": PURE,
    "ucr.discovery": PURE,
    "ucr.estimate": PURE,
    "ucr.fanout": PURE,
    "ucr.fields": PURE,
    "ucr.forwarding": PURE,
    "ucr.google": PURE,
    "ucr.jsontext": PURE,
    "ucr.rests": PURE,
    "ucr.kind": PURE,
    "ucr.media": PURE,
    "ucr.line": PURE,
    "ucr.models": PURE,
    "ucr.negotiation": PURE,
    "ucr.placing": PURE,
    "ucr.platform_rows": PURE,
    "ucr.pressure": PURE,
    "ucr.price_list": PURE,
    "ucr.pricing": PURE,
    "ucr.profile": PURE,
    "ucr.probe": PURE,
    "ucr.probe.grammar": PURE,
    "ucr.probe.checks": PURE,
    "ucr.probe.card": PURE,
    "ucr.probe.cards": PURE,
    "ucr.probe.card_file": EDGE,
    "ucr.probe.run": EDGE,
    "ucr.probe.command": PROCESS,
    "ucr.quirks": PURE,
    "ucr.ratelimits": PURE,
    "ucr.record": PURE,
    "ucr.redaction": PURE,
    "ucr.refusals": PURE,
    "ucr.retry": PURE,
    "ucr.healing": PURE,
    "ucr.remedies": PURE,
    "ucr.remedy_rules": PURE,
    "ucr.conditions": PURE,
    "ucr.custom_view": PURE,
    "ucr.decision": PURE,
    "ucr.rewriting": PURE,
    "ucr.row": PURE,
    "ucr.rules": PURE,
    "ucr.facts": PURE,
    "ucr.route_table": PURE,
    "ucr.routing": PURE,
    "ucr.shape": PURE,
    "ucr.explain": PURE,
    "ucr.ndjson": PURE,
    "ucr.signing": PURE,
    "ucr.sigv4": PURE,
    "ucr.sse": PURE,
    "ucr.stress.grammar": PURE,
    "ucr.stress.hearing": PURE,
    "ucr.steered": PURE,
    "ucr.spending": PURE,
    "ucr.store_spec": PURE,
    "ucr.usage": PURE,
    "ucr.journal": PURE,
    "ucr.journal.difference": PURE,
    "ucr.journal.writer": EDGE,
    "ucr.journal.entry": PURE,
    "ucr.journal.recording": EDGE,
    "ucr.tasks": PURE,
    "ucr.urgency": PURE,
    "ucr.verdict": PURE,
    "ucr.drawing": PURE,
    "ucr.exposition": PURE,
    "ucr.extras": PURE,
    "ucr.metering": PURE,
    "ucr.series": PURE,
    "ucr.views": PURE,
    "ucr.observe": PURE,
    "ucr.observe.summary": PURE,
    "ucr.observe.footprint": PURE,
    "ucr.observe.gaps": PURE,
    "ucr.observe.board": PURE,
    "ucr.observe.top_drawing": PURE,
    "ucr.observe.following": PROCESS,
    "ucr.observe.terminal": EDGE,
    "ucr.observe.top_command": PROCESS,
    "ucr.observe.sdk_log": EDGE,
    "ucr.observe.spans": PURE,
    "ucr.observe.trace": PURE,
    "ucr.observe.tracing": EDGE,
    "ucr.observe.statistics": PURE,
    "ucr.observe.events": EDGE,
    "ucr.observe.feed": EDGE,
    "ucr.observe.hub": EDGE,
    "ucr.observe.listener": EDGE,
    "ucr.admin": EDGE,
    "ucr.ui": PURE,
    "ucr.ui.session": PURE,
    "ucr.ui.state": PURE,
    "ucr.ui.assets": EDGE,
    "ucr.ui.dashboard": EDGE,
    "ucr.ui.past": EDGE,
    "ucr.lane": PURE,
    "ucr.lane.chunks": PURE,
    "ucr.lane.gate": PURE,
    "ucr.lane.head": PURE,
    "ucr.lane.heads": PURE,
    "ucr.lane.intake": PURE,
    "ucr.lane.reply": PURE,
    "ucr.lane.exchange": EDGE,
    "ucr.lane.front": EDGE,
    "ucr.lane.line": EDGE,
    "ucr.lane.quiet": EDGE,
    "ucr.lane.replay": EDGE,
    "ucr.lane.watch": EDGE,
    "ucr.api": EDGE,
    "ucr.badge": PURE,
    "ucr.bodies": EDGE,
    "ucr.request_ids": EDGE,
    "ucr.asgi": EDGE,
    "ucr.bookkeeping": EDGE,
    "ucr.books": EDGE,
    "ucr.caching": EDGE,
    "ucr.brief": EDGE,
    "ucr.coalescing": EDGE,
    "ucr.cache_backing": EDGE,
    "ucr.cache_secret": EDGE,
    "ucr.hot_follower": EDGE,
    "ucr.clerk": EDGE,
    "ucr.cost_report": EDGE,
    "ucr.usage_file": EDGE,
    "ucr.kept_file": EDGE,
    "ucr.written_behind": EDGE,
    "ucr.reporting": EDGE,
    "ucr.journal.commands": PROCESS,
    "ucr.journal.file": EDGE,
    "ucr.journal.history": EDGE,
    "ucr.journal.keeping": EDGE,
    "ucr.journal.reading": EDGE,
    "ucr.journal.replaying": EDGE,
    "ucr.journal.showing": EDGE,
    "ucr.compression": EDGE,
    "ucr.control": EDGE,
    "ucr.custom": EDGE,
    "ucr.custom_check": EDGE,
    "ucr.custom_seat": EDGE,
    "ucr.custom_talk": EDGE,
    "ucr.steering": EDGE,
    "ucr.tokens": EDGE,
    "ucr.address": EDGE,
    "ucr.attempt": EDGE,
    "ucr.call": EDGE,
    "ucr.carrying": EDGE,
    "ucr.clock": EDGE,
    "ucr.connections": EDGE,
    "ucr.count": EDGE,
    "ucr.delivery": EDGE,
    "ucr.watchdog": EDGE,
    "ucr.departure": EDGE,
    "ucr.demo": EDGE,
    "ucr.demo_client": EDGE,
    "ucr.exchange": EDGE,
    "ucr.explaining": EDGE,
    "ucr.explain_offline": EDGE,
    "ucr.flight": EDGE,
    "ucr.lead": EDGE,
    "ucr.generation": EDGE,
    "ucr.guard": EDGE,
    "ucr.limits": EDGE,
    "ucr.logs": EDGE,
    "ucr.outlet": EDGE,
    "ucr.memory": EDGE,
    "ucr.hedge": EDGE,
    "ucr.patience": EDGE,
    "ucr.probing": EDGE,
    "ucr.proxied": EDGE,
    "ucr.large": EDGE,
    "ucr.parsing": EDGE,
    "ucr.reception": EDGE,
    "ucr.predicted": EDGE,
    "ucr.predictions": EDGE,
    "ucr.relay": EDGE,
    "ucr.side_calls": EDGE,
    "ucr.store_control": EDGE,
    "ucr.store_link": EDGE,
    "ucr.store_wire": EDGE,
    "ucr.roster": EDGE,
    "ucr.snapshot": EDGE,
    "ucr.server": EDGE,
    "ucr.tls": EDGE,
    "ucr.standby": EDGE,
    "ucr.tree": EDGE,
    "ucr.window": PURE,
    "ucr.vault": DATA,
    "ucr.vault.chat": PURE,
    "ucr.vault.gathering": PURE,
    "ucr.vault.listening": PURE,
    "ucr.vault.messages": KERNEL,
    "ucr.vault.needs": PURE,
    "ucr.vault.state": PURE,
    "ucr.vault.turns": PURE,
    "ucr.vault.keeper": ACTORS,
    "ucr.vault.vault": EDGE,
    "ucr.vault.recalling": EDGE,
    "ucr.private_file": EDGE,
    "ucr.writing": EDGE,
    "ucr.spreading": EDGE,
    "ucr.upstream": EDGE,
    "ucr.hygiene": EDGE,
    "ucr.link": EDGE,
    "ucr.door": EDGE,
    "ucr.listening": EDGE,
    "ucr.messages": EDGE,
    "ucr.notify": EDGE,
    "ucr.parent_control": EDGE,
    "ucr.reload": EDGE,
    "ucr.watch": EDGE,
    "ucr.alone": PROCESS,
    "ucr.custom_child": PROCESS,
    "ucr.custom_process": PROCESS,
    "ucr.worker": PROCESS,
    "ucr.attendant": PROCESS,
    "ucr.begun": PROCESS,
    "ucr.loading": PURE,
    "ucr.worker_process": PROCESS,
    "ucr.crew": PROCESS,
    "ucr.hired": PROCESS,
    "ucr.parent": PROCESS,
    "ucr.slot": PROCESS,
    "ucr.spawn": PROCESS,
    "ucr.wishes": PROCESS,
    "ucr.starting": PROCESS,
    "ucr.store": PROCESS,
    "ucr.store_seat": PROCESS,
    "ucr.stress.*": PROCESS,
    "ucr.stress_command": PROCESS,
    "ucr.explain_command": PROCESS,
    "ucr.cost_command": PROCESS,
    "ucr.tree_command": PROCESS,
    "ucr.asking": PROCESS,
    "ucr.cache_command": PROCESS,
    "ucr.cli": PROCESS,
    "ucr.commands": PROCESS,
    "ucr.launch": PROCESS,
    "ucr.library": PURE,
    "ucr.library.exchange": EDGE,
    "ucr.library.family": EDGE,
    "ucr.library.pipe": EDGE,
    "ucr.library.router": PROCESS,
    "ucr.library.settings": PROCESS,
    "ucr.library.transport": EDGE,
    "ucr.operate.*": PROCESS,
    "ucr.operate.draft": PURE,
    "ucr.operate.editing": PURE,
    "ucr.operate.finding": PURE,
    "ucr.operate.scrubbing": PURE,
    "ucr.operate.surroundings": PURE,
}
"""`name.*` is a package with all that is in it."""

SERVERS = {"hypercorn"}
WORLD = {"trio", "httpx", "structlog", "time", "random", "os", "socket", "subprocess", "threading", "asyncio"}
FORBIDDEN = {
    DATA: WORLD | SERVERS | {"httptools", "h11", "cachetools", "orjson", "click"},
    PURE: WORLD | SERVERS | {"click"},
    KERNEL: {"httpx", "cachetools", "structlog", "asyncio", "subprocess", "click"} | SERVERS,
    ACTORS: {"structlog", "asyncio", "subprocess", "click"} | SERVERS,
    EDGE: {"subprocess", "multiprocessing", "asyncio", "click"},
    PROCESS: {"asyncio", "multiprocessing"},
}

BROAD_EXCEPT = {
    "actors.supervisor": "the actor loop",
    "ucr.api": "the request",
    "ucr.connections": "the connection guard",
    "ucr.custom_child": "the process of a user's code",
    "ucr.stress.simulation": "the process of a router, in virtual time",
}
"""The four edges at which `except Exception` may stand: a request, a connection, an actor's loop, a process."""

FUNCTION_LINES = 60
MODULE_LINES = 400

SOURCES = sources("ucr", "actors")
BY_MODULE = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.module)


def floor_of(module: str) -> int | None:
    if module in FLOORS:
        return FLOORS[module]
    parents = module.split(".")
    while parents:
        if (key := ".".join(parents) + ".*") in FLOORS:
            return FLOORS[key]
        parents.pop()
    return None


def upward_imports(source: Source) -> Iterator[str]:
    """Give what a module imports from a higher floor, and `ucr` from within `actors`."""
    own = floor_of(source.module)
    assert own is not None
    for name in source.imports():
        leaves_the_library = source.module.startswith("actors") and name.split(".")[0] == "ucr"
        is_above = name not in {"ucr", "actors"} and (floor_of(name) or DATA) > own
        if leaves_the_library or is_above:
            yield name


def forbidden_imports(source: Source) -> Iterator[str]:
    floor = floor_of(source.module)
    assert floor is not None
    yield from (name for name in source.imports() if name.split(".")[0] in FORBIDDEN[floor])


def long_functions(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{node.name} has {lines} lines"


def coroutines(source: Source) -> Iterator[str]:
    kinds = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    yield from (f"line {node.lineno}" for node in ast.walk(source.tree) if isinstance(node, kinds))


def shared_state(source: Source) -> Iterator[str]:
    """Give every `global`, and every mutable object that a module or a class holds."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global"
    bodies = [source.tree.body]
    bodies += [node.body for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    for statement in (statement for body in bodies for statement in body):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and is_mutable(statement.value):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if names != ["__all__"] and names != ["__slots__"]:
                yield f"line {statement.lineno}: {', '.join(names)}"


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return True
    makers = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "OrderedDict", "Counter"}
    return isinstance(value, ast.Call) and getattr(value.func, "id", getattr(value.func, "attr", "")) in makers


def broad_excepts(source: Source) -> Iterator[str]:
    """Give every handler of everything, but for those that only clean up and raise again."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {getattr(type_, "id", "") for type_ in types}
        raises_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
        if (node.type is None or names & {"Exception", "BaseException"}) and not raises_again:
            yield f"line {node.lineno}"


@BY_MODULE
def test_every_module_stands_on_a_floor(source: Source) -> None:
    assert floor_of(source.module) is not None, f"put {source.module} on a floor in FLOORS"


@BY_MODULE
def test_nothing_imports_from_a_higher_floor(source: Source) -> None:
    assert list(upward_imports(source)) == []


@BY_MODULE
def test_nothing_imports_what_its_floor_forbids(source: Source) -> None:
    assert list(forbidden_imports(source)) == []


@BY_MODULE
def test_pure_modules_have_no_coroutines(source: Source) -> None:
    if floor_of(source.module) in {DATA, PURE}:
        assert list(coroutines(source)) == []


@BY_MODULE
def test_functions_and_modules_keep_within_their_walls(source: Source) -> None:
    assert list(long_functions(source)) == []
    assert source.text.count("\n") <= MODULE_LINES


@BY_MODULE
def test_no_module_holds_mutable_state(source: Source) -> None:
    assert list(shared_state(source)) == []


@BY_MODULE
def test_everything_is_caught_at_the_four_edges_only(source: Source) -> None:
    if source.module not in BROAD_EXCEPT:
        assert list(broad_excepts(source)) == []


LONG = "def f():\n" + "    x = 1\n" * 60


@pytest.mark.parametrize(
    ("check", "module", "text"),
    [
        (upward_imports, "ucr.sse", "from ucr import relay"),
        (upward_imports, "ucr.sse", "import ucr.cli"),
        (upward_imports, "actors.pool", "from ucr.errors import UcrError"),
        (upward_imports, "actors.mailbox", "from .pool import Pool"),
        (forbidden_imports, "ucr.dialects.anthropic.client", "from time import time"),
        (forbidden_imports, "actors.ref", "import httpx"),
        (forbidden_imports, "ucr.relay", "import subprocess"),
        (long_functions, "ucr.sse", LONG),
        (coroutines, "ucr.sse", "async def f(): ..."),
        (shared_state, "ucr.sse", "SEEN = {}"),
        (shared_state, "ucr.sse", "class A:\n    seen: list[int] = []"),
        (shared_state, "ucr.sse", "def f():\n    global x"),
        (shared_state, "ucr.sse", "from collections import defaultdict\nSEEN = defaultdict(int)"),
        (broad_excepts, "ucr.sse", "try: ...\nexcept Exception: pass"),
        (broad_excepts, "ucr.sse", "try: ...\nexcept (OSError, BaseException): pass"),
        (broad_excepts, "ucr.sse", "try: ...\nexcept: pass"),
    ],
)
def test_each_rule_is_able_to_fail(check: object, module: str, text: str) -> None:
    assert callable(check)
    assert list(check(read(module, text)))


@pytest.mark.parametrize(
    ("check", "module", "text"),
    [
        (upward_imports, "ucr.relay", "from ucr.dialects import roles\nfrom actors import Pool"),
        (shared_state, "ucr.sse", "SEEN = ()\n__all__ = ['SEEN']"),
        (shared_state, "ucr.sse", "def f():\n    seen = []"),
        (broad_excepts, "ucr.sse", "try: ...\nexcept BaseException:\n    x = 1\n    raise"),
        (broad_excepts, "ucr.sse", "try: ...\nexcept OSError: pass"),
    ],
)
def test_what_the_rules_allow_passes(check: object, module: str, text: str) -> None:
    assert callable(check)
    assert list(check(read(module, text))) == []
