"""`ucr-trio stress`: the router in virtual time, or as real processes, under whatever can go wrong."""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ucr.operate.progress import Progress, ticking

if TYPE_CHECKING:
    from ucr.stress.plan import Plan
    from ucr.stress.simulation import Result

FAILED, UNUSABLE = 1, 2
SECONDS, CLIENTS = 3600.0, 1000
_ENDS = MappingProxyType({"whole": "answered in full", "left": "whose clients left"})
"""How the ends of requests are told, where their names alone do not say it."""

_VIRTUAL = (
    click.option(
        "--seconds", type=click.FloatRange(min=1), default=SECONDS, help="Virtual seconds with faults."
    ),
    click.option("--clients", type=click.IntRange(min=1), default=CLIENTS, help="Virtual clients."),
    click.option(
        "--rate", type=click.FloatRange(min=0.1), default=6.0, help="Requests a second of all of them."
    ),
    click.option(
        "--swarm", "swarm_s", type=float, default=0.0, help="Take one seed after the other for so long (s)."
    ),
    click.option(
        "--plan", "plan_file", type=click.File(), help="Run this plan, - for standard input, and no seed."
    ),
    click.option("--shrink/--no-shrink", default=True, help="Reduce a plan that fails."),
)
_REAL = (
    click.option(
        "--level",
        type=click.Choice(("light", "medium", "heavy")),
        help="Load of 50, 100 or 200 connections (medium when faults or a time are named).",
    ),
    click.option("--minutes", type=click.FloatRange(min=0.1), help="How long the load lasts (1)."),
    click.option("--soak", is_flag=True, help="A load of an hour, with every fault unless some are named."),
    click.option(
        "--faults",
        default="",
        help="What strikes under the load: kills, reloads, replacements, stops, outages, leavers.",
    ),
    click.option("--targets", default="", help="Only these, as R1,R5; without a load all of them are proved."),
    click.option("--workers", type=click.IntRange(min=0), help="Worker processes (4; 3 when --short)."),
    click.option("--short", is_flag=True, help="The short form of the targets, which is patient about times."),
    click.option("--svg", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Draw the run."),
)


def _with(options: tuple[Callable[..., Any], ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add options to a command, in their order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.command()
@click.option(
    "--simulated", "mode", flag_value="simulated", default=True, help="In virtual time (the default)."
)
@click.option("--real", "mode", flag_value="real", help="Real processes and sockets on the loopback interface.")
@click.option("--seed", type=int, default=1, help="Of every choice: the same seed gives the same run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each run.")
@_with(_VIRTUAL)
@_with(_REAL)
def stress(mode: str, seed: int, as_json: bool, **options: Any) -> None:
    """Let the router work under faults and look whether everything that was promised holds."""
    context = click.get_current_context()
    own, other = (_REAL, _VIRTUAL) if mode == "real" else (_VIRTUAL, _REAL)
    names = _names(own)
    for name in _names(other):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            shown = next(one.opts[0] for one in context.command.params if one.name == name)
            raise click.UsageError(f"{shown} needs {'--simulated' if mode == 'real' else '--real'}")
    run = _real if mode == "real" else _simulated
    sys.exit(run(seed, as_json, **{name: options[name] for name in names}))


def _names(options: tuple[Callable[..., Any], ...]) -> tuple[str, ...]:
    """Return the names under which options are given to the command."""

    def bare() -> None:
        """Have these options."""

    return tuple(str(one.name) for one in click.command()(_with(options)(bare)).params)


def _simulated(
    seed: int,
    as_json: bool,
    *,
    seconds: float,
    clients: int,
    rate: float,
    swarm_s: float,
    plan_file: IO[str] | None,
    shrink: bool,
) -> int:
    from ucr.stress.plan import PlanError, make_plan, read
    from ucr.stress.swarm import reduced, swarm

    try:
        plan = None if plan_file is None else read(plan_file.read())
    except PlanError as error:
        click.echo(str(error), err=True)
        return UNUSABLE

    def make(number: int) -> "Plan":
        return make_plan(number, seconds, clients, rate) if plan is None else plan

    started_s = time.monotonic()
    for result in swarm(make, seed, swarm_s if plan is None else 0.0, time.monotonic, _shown):
        _tell(result, time.monotonic() - started_s, as_json)
        started_s = time.monotonic()
        if result.broken is not None:
            if shrink:
                with ticking(Progress("reducing the plan")):
                    result = reduced(result)
                _tell(result, time.monotonic() - started_s, as_json)
            click.echo(result.plan.said(), err=True)
            click.echo("run it again with: ucr-trio stress --simulated --plan FILE", err=True)
            return FAILED
    return 0


def _shown(plan: "Plan") -> "Result":
    """Run a plan, and show that it runs."""
    from ucr.stress.simulation import simulate

    with ticking(Progress(f"seed {plan.seed}")):
        return simulate(plan)


def _tell(result: "Result", took_s: float, as_json: bool) -> None:
    """Print one run: what it came to for people, one object for programs."""
    if as_json:
        click.echo(json.dumps(_facts(result, took_s)))
        return
    verdict = "passed: every law held" if result.broken is None else f"FAILED: {result.broken}"
    counts = ", ".join(
        f"{count} {_ENDS.get(name, name)}" for name, count in sorted(result.outcomes.items(), reverse=True)
    )
    click.echo(
        f"seed {result.plan.seed}: {verdict}\n"
        f"  {result.requests} requests in {result.virtual_s:.0f} virtual seconds, which took {took_s:.1f} s"
        f"{counts and ': '}{counts}\n"
        f"  digest {result.digest}, the same whenever this seed is run with these options"
    )


def _facts(result: "Result", took_s: float) -> dict[str, object]:
    broken = result.broken
    return {
        "seed": result.plan.seed,
        "passed": broken is None,
        "law": None if broken is None else broken.law,
        "how": None if broken is None else broken.how,
        "at_s": None if broken is None else broken.at_s,
        "requests": result.requests,
        "outcomes": result.outcomes,
        "asked_of": result.asked_of,
        "cache": result.cache_uses,
        "steps": result.steps,
        "virtual_s": result.virtual_s,
        "took_s": round(took_s, 3),
        "digest": result.digest,
    }


def _real(
    seed: int,
    as_json: bool,
    *,
    level: str | None,
    minutes: float | None,
    soak: bool,
    faults: str,
    targets: str,
    workers: int | None,
    short: bool,
    svg: Path | None,
) -> int:
    """Prove targets through real processes; print their figures, and return the exit status."""
    from ucr.stress.real.report import Report
    from ucr.stress.real.targets import heading, proved
    from ucr.stress.real.telling import save_picture, told
    from ucr.stress.real.wish import WishError, wish_of

    try:
        wish = wish_of(targets, level, minutes, faults, is_soak=soak)
    except WishError as error:
        click.echo(str(error), err=True)
        return UNUSABLE
    report, head = Report(short, partial(click.echo, err=as_json)), heading(seed)
    report.say(head)
    course = proved(wish.targets(), seed, report, workers)
    if course is None:
        click.echo("stopped by a signal", err=True)
        return FAILED
    click.echo(told(report, head, as_json=as_json))
    if svg is not None:
        save_picture(course, head, svg)
    return FAILED if report.has_failed else 0
