"""Targets of hostile providers and of attackers: the tables of attacks through real processes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import trio

from ucr.stress.attacks import bodies, heads, requests, wire
from ucr.stress.attacks.requests import ADMIN, ADMIN_KEY, KEY, Intrusion
from ucr.stress.attacks.wire import Attack, answers_in
from ucr.stress.failing import healthy, named
from ucr.stress.failing.scripted import asked
from ucr.stress.real.load import Answer, Line, open_line
from ucr.stress.real.report import Report
from ucr.stress.real.router import Router, command_line, resident_bytes
from ucr.stress.real.run import Run
from ucr.stress.real.upstream import LOOPBACK
from ucr.stress.upstream import Answer as Answering
from ucr.stress.upstream import SeenRequest, Upstream

MIB = 1024 * 1024
PROVIDER_KEY = "planted-key-of-the-provider"
SECRETS = (PROVIDER_KEY, KEY, ADMIN_KEY)
DEADLINE_S = 4.0
"""`total_s` of the configuration: no answer may take more than a second longer."""
GROWTH_BYTES = 64 * MIB
LARGE = frozenset({"bomb", "json", "endless", "head-endless", "flood", "redirect"})
"""Faults of many bytes, which are caused one at a time, so that what they take is known."""
ATTACK_S = 1.0

PROVIDER = """
[[providers]]
id = "{id}"
dialect = "{dialect}"
base_url = "http://127.0.0.1:{port}{path}"
api_key = "{key}"
default_model = "{model}"
"""

HOSTILE = """
[server]
grace_s = 2
[timeouts]
connect_s = 1
first_byte_s = 1.5
idle_s = 1.5
total_s = 4
[router]
default = "well-anthropic"
max_attempts = 1
[cache]
enabled = false
"""

OPEN = """
[server]
grace_s = 2
[router]
default = "well-openai-chat"
[cache]
enabled = false
"""

KEYED = f"""{OPEN}
[[clients]]
name = "laptop"
key = "{KEY}"
[admin]
key = "{ADMIN_KEY}"
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault of a provider, as one client meets it."""

    fault: str
    dialect: str
    stream: bool

    @property
    def provider(self) -> str:
        return f"{self.fault}-{self.dialect}"

    def request(self, target: str) -> bytes:
        body = {**bodies.GOOD, "model": f"{self.provider}/{self.fault}", "stream": self.stream}
        return Intrusion(target=target, body=bodies.written(body)).bytes()


@dataclass(slots=True)
class Tally:
    """What went wrong, by case."""

    report: Report
    wrong: list[str] = field(default_factory=list)
    cases: int = 0
    longest_s: float = 0.0
    growth_bytes: int = 0

    def see(self, name: str, words: str) -> None:
        if words:
            self.wrong.append(f"{name}: {words}")
            self.report.note(f"{name}: {words}")


async def _fail(request: SeenRequest, answer: Answering) -> None:
    """Answer in the way that the model's name orders."""
    handler = named.NAMED.get(str(asked(request)["model"]), healthy.well)
    await handler(request, answer)


def _provider(port: int, name: str, dialect: str) -> str:
    path = "/v1" if dialect == "openai-chat" else ""
    return PROVIDER.format(
        id=f"{name}-{dialect}", dialect=dialect, port=port, path=path, key=PROVIDER_KEY, model=name
    )


def cases(short: bool) -> Iterator[Case]:
    for fault in named.NAMED:
        for dialect in ("anthropic", "openai-chat"):
            for stream in (False, True):
                is_left_out = short and fault in LARGE and dialect == "anthropic"
                if not is_left_out and (stream or fault != "endless"):
                    yield Case(fault, dialect, stream)


async def hostile_providers(run: Run) -> None:
    """R11: whatever a provider does, its client is answered in time, and it costs no more than so much memory."""
    tally = Tally(run.report)
    todo = list(cases(run.short))
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, Upstream(_fail).serve, 0, host=LOOPBACK)
        listeners: list[trio.SocketListener] = await nursery.start(serve)
        port = listeners[0].socket.getsockname()[1]
        providers = (_provider(port, name, d) for name in named.NAMED for d in ("anthropic", "openai-chat"))
        async with run.router(HOSTILE + "".join(providers), workers=1) as router:
            before = set(router.workers().values())
            await _all_at_once(router, tally, [case for case in todo if case.fault not in LARGE])
            for case in todo:
                if case.fault in LARGE:
                    await _weighed(router, tally, case)
            replaced = before - set(router.workers().values())
            _see_quiet(router, tally)
        nursery.cancel_scope.cancel(reason="all faults were caused")
    report = run.report
    report.count(
        "R11", "faults of providers that were not answered as they must", len(tally.wrong), 0, tally.cases
    )
    report.time("R11", "longest answer", tally.longest_s, DEADLINE_S + 1, tally.cases)
    report.count("R11", "MiB more in the worker, at most", tally.growth_bytes // MIB, 64, len(LARGE))
    report.count("R11", "processes replaced", len(replaced), 0, len(before))


async def _all_at_once(router: Router, tally: Tally, cases: Iterable[Case]) -> None:
    limiter = trio.CapacityLimiter(16)
    async with trio.open_nursery() as nursery:
        for case in cases:
            nursery.start_soon(_limited, limiter, partial(_meet, router, tally, case))


async def _limited(limiter: trio.CapacityLimiter, work: Callable[[], object]) -> None:
    async with limiter:
        await work()  # type: ignore[misc]


async def _weighed(router: Router, tally: Tally, case: Case) -> None:
    """Cause a fault while nothing else happens, and watch what the worker takes."""
    (pid,) = router.workers().values()
    start = peak = resident_bytes(pid)
    async with trio.open_nursery() as nursery:

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, resident_bytes(pid))
                await trio.sleep(0.01)

        nursery.start_soon(watch)
        await _meet(router, tally, case)
        nursery.cancel_scope.cancel(reason="the answer has ended")
    tally.growth_bytes = max(tally.growth_bytes, peak - start)


async def _meet(router: Router, tally: Tally, case: Case) -> None:
    for target in ("/v1/messages", "/v1/chat/completions"):
        name = f"{case.provider} {'stream' if case.stream else 'whole'} {target}"
        began = trio.current_time()
        answer = Answer(detail="no answer")
        with trio.move_on_after(4 * DEADLINE_S):
            line = await open_line(router.port)
            async with line.stream:
                answer = await line.exchange(case.request(target))
        tally.cases += 1
        tally.longest_s = max(tally.longest_s, trio.current_time() - began)
        tally.see(name, wrong_answer(answer, target))


def wrong_answer(answer: Answer, target: str) -> str:
    """Say what is wrong with an answer to a request that met a fault: it must be whole and hold no secret."""
    if not answer.is_whole:
        return f"cut off: {answer.detail}"
    if secrets := _secrets_in(bytes(answer.body) + str(answer.headers).encode()):
        return f"holds {secrets}"
    if answer.status == 200:
        return ""
    if b'"error"' not in answer.body or answer.status not in (400, 402, 403, 404, 429, 500, 504, 529):
        return f"{answer.status}: {bytes(answer.body[:200])!r}"
    return (
        "" if (b'"type":"error"' in answer.body.replace(b" ", b"")) is (target == "/v1/messages") else "shape"
    )


def _secrets_in(data: bytes) -> list[str]:
    return [secret for secret in SECRETS if secret.encode() in data]


async def attackers(run: Run) -> None:
    """R12: no attack gets an answer that it should not, ends a process, or learns a secret."""
    tally, replaced, begun = Tally(run.report), 0, 0
    async with run.upstreams("alpha") as (alpha,):
        providers = _provider(alpha.port, "well", "openai-chat")
        for text, attacks in ((OPEN, _open_attacks(run.short)), (KEYED, _keyed_attacks())):
            async with run.router(text + providers) as router:
                before = set(router.workers().values())
                for name, attack in attacks:
                    await _attack(run, router, tally, name, attack)
                answer = await router.ask("/health")
                tally.see("the next client", "" if answer.status == 200 else f"{answer.status}")
                replaced += len(before - set(router.workers().values()))
                begun += len(before)
                _see_quiet(router, tally)
    run.report.count("R12", "attacks that were not answered as they must", len(tally.wrong), 0, tally.cases)
    run.report.count("R12", "processes replaced", replaced, 0, begun)
    run.report.time("R12", "longest answer to an attack", tally.longest_s, ATTACK_S, tally.cases)


def _open_attacks(short: bool) -> Iterator[tuple[str, Attack]]:
    for name, (data, status) in heads.REFUSED.items():
        yield f"head {name}", Attack(data, frozenset({status}), is_fault=True)
    yield from ((f"framing {name}", attack) for name, attack in wire.FRAMINGS.items())
    yield from ((f"protocol {name}", attack) for name, attack in wire.UPGRADES.items())
    for name, row in bodies.BODIES.items():
        if not (short and len(row.data) > MIB):
            yield f"body {name}", Attack(row.request("/v1/messages"), row.statuses)
    for group in (requests.FOREIGN, requests.PATHS):
        yield from ((name, Attack(row.bytes(), row.statuses)) for name, row in group.items())
    for name, body in requests.NAMING.items():
        yield f"names {name}", Attack(Intrusion(body=body).bytes(), frozenset({200, 400, 404}))


def _keyed_attacks() -> Iterator[tuple[str, Attack]]:
    refused = frozenset({401, 429})
    for name, row in requests.KEYS.items():
        yield f"key {name}", Attack(row.bytes(), refused)
    for method, target in ADMIN:
        for headers in ({}, {"x-api-key": KEY}, {"x-forwarded-for": "127.0.0.1"}):
            row = Intrusion(method, target, headers)
            yield f"admin {method} {target} {headers}", Attack(row.bytes(), refused)
    yield "the right key", Attack(replace(Intrusion(), headers={"x-api-key": KEY}).bytes(), frozenset({200}))


async def _attack(run: Run, router: Router, tally: Tally, name: str, attack: Attack) -> None:
    began = trio.current_time()
    line = await open_line(router.port)
    async with line.stream:
        received, is_ended = await _said(line, attack, ATTACK_S * run.report.patience)
    tally.cases += 1
    if attack.is_fault:
        tally.longest_s = max(tally.longest_s, trio.current_time() - began)
    tally.see(name, wrong_words(received, is_ended, attack))


async def _said(line: Line, attack: Attack, patience_s: float) -> tuple[bytes, bool]:
    """Send an attack; return what was said to it until nothing more comes, and whether the connection ended."""
    received = b""
    async with trio.open_nursery() as nursery:

        async def push() -> None:
            try:
                await line.stream.send_all(attack.data)
            except trio.BrokenResourceError:
                return

        nursery.start_soon(push)
        try:
            while True:
                with trio.move_on_after(0.3 if received and not attack.is_fault else patience_s) as scope:
                    piece = await line.stream.receive_some(65_536)
                if scope.cancelled_caught or not piece:
                    break
                received += piece
        except trio.BrokenResourceError:
            pass
        nursery.cancel_scope.cancel(reason="nothing more comes")
    return received, not scope.cancelled_caught


def wrong_words(received: bytes, is_ended: bool, attack: Attack) -> str:
    try:
        answers = answers_in(received)
    except ValueError as error:
        return str(error)
    statuses = [answer.status for answer in answers]
    if wire.MARK in received or len(answers) > attack.answers:
        return f"{statuses}: a hidden request was answered"
    if secrets := _secrets_in(received):
        return f"holds {secrets}"
    if not answers:
        return "" if attack.may_be_silent else "no answer"
    if statuses[0] not in attack.statuses:
        return f"{statuses[0]}, not {sorted(attack.statuses)}: {answers[0].body[:100]!r}"
    if any("server" in answer.headers or "access-control-allow-origin" in answer.headers for answer in answers):
        return "headers that it should not have"
    return "" if is_ended or not attack.is_fault else "the connection was left open"


def _see_quiet(router: Router, tally: Tally) -> None:
    """See that nothing crashed, and that no secret is in the log, on stderr or in a command line."""
    crashed = [line.event for line in router.log if line.event.endswith((".crashed", ".replaced"))]
    tally.see("the log", f"{crashed}" if crashed else "")
    written = " ".join(str(line.fields) for line in router.log) + router.errors.decode("utf-8", "replace")
    lines = " ".join(command_line(pid) for pid in router.all_pids())
    for name, text in (("the log", written), ("a command line", lines)):
        secrets = _secrets_in(text.encode())
        tally.see(name, f"holds {secrets}" if secrets else "")
    assert Path(router.file).is_file()
