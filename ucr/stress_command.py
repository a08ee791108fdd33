"""`ucr-trio stress`: the router in virtual time, or as real processes, under whatever can go wrong."""

import json
import sys
import time
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ucr.stress.plan import Plan
    from ucr.stress.simulation import Result

FAILED, UNUSABLE = 1, 2
SECONDS, CLIENTS = 3600.0, 1000


@click.command()
@click.option(
    "--simulated", "mode", flag_value="simulated", default=True, help="In virtual time (the default)."
)
@click.option("--real", "mode", flag_value="real", help="Real processes and sockets on the loopback interface.")
@click.option("--seconds", type=click.FloatRange(min=1), default=SECONDS, help="Virtual seconds with faults.")
@click.option("--seed", type=int, default=1, help="Of every choice: the same seed gives the same run.")
@click.option("--clients", type=click.IntRange(min=1), default=CLIENTS, help="Virtual clients.")
@click.option("--rate", type=click.FloatRange(min=0.1), default=6.0, help="Requests a second of all of them.")
@click.option(
    "--swarm", "swarm_s", type=float, default=0.0, help="Take one seed after the other for so long (s)."
)
@click.option(
    "--plan", "plan_file", type=click.File(), help="Run this plan, - for standard input, and no seed."
)
@click.option("--shrink/--no-shrink", default=True, help="Reduce a plan that fails.")
@click.option("--targets", default="", help="With --real: only these, as R1,R5; all of them otherwise.")
@click.option(
    "--workers", type=click.IntRange(min=0), help="With --real: worker processes (4; 3 when --short)."
)
@click.option("--short", is_flag=True, help="With --real: the short form.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each run.")
def stress(
    mode: str,
    seconds: float,
    seed: int,
    clients: int,
    rate: float,
    swarm_s: float,
    plan_file: IO[str] | None,
    shrink: bool,
    targets: str,
    workers: int | None,
    short: bool,
    as_json: bool,
) -> None:
    """Let the router work under faults and look whether everything that was promised holds."""
    if mode == "real":
        sys.exit(_real(seed, tuple(filter(None, targets.split(","))), short, workers))
    from ucr.stress.plan import PlanError, make_plan, read
    from ucr.stress.swarm import reduced, swarm

    try:
        plan = None if plan_file is None else read(plan_file.read())
    except PlanError as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)

    def make(number: int) -> "Plan":
        return make_plan(number, seconds, clients, rate) if plan is None else plan

    started_s = time.monotonic()
    for result in swarm(make, seed, swarm_s if plan is None else 0.0, time.monotonic):
        _tell(result, time.monotonic() - started_s, as_json)
        started_s = time.monotonic()
        if result.broken is not None:
            if shrink:
                click.echo("reducing the plan…", err=True)
                result = reduced(result)
                _tell(result, time.monotonic() - started_s, as_json)
            click.echo(result.plan.said(), err=True)
            click.echo("run it again with: ucr-trio stress --simulated --plan FILE", err=True)
            sys.exit(FAILED)


def _tell(result: "Result", took_s: float, as_json: bool) -> None:
    """Print one run: one line for people, one object for programs."""
    if as_json:
        click.echo(json.dumps(_facts(result, took_s)))
        return
    verdict = "passed" if result.broken is None else f"FAILED: {result.broken}"
    counts = ", ".join(f"{count} {name}" for name, count in sorted(result.outcomes.items()))
    click.echo(
        f"seed {result.plan.seed}: {verdict}; {result.requests} requests ({counts}), "
        f"{result.virtual_s:.0f} virtual seconds in {took_s:.1f} s, digest {result.digest}"
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


def _real(seed: int, names: tuple[str, ...], short: bool, workers: int | None) -> int:
    """Prove the targets through real processes; print their figures as one table, and return the exit status."""
    from ucr.stress.real.report import Report
    from ucr.stress.real.targets import NAMES, chosen, heading, proved

    if unknown := sorted(set(names) - set(NAMES)):
        click.echo(f"no target {', '.join(unknown)}; there are {', '.join(NAMES)}", err=True)
        return UNUSABLE
    report, head = Report(short), heading(seed)
    click.echo(head)
    if not proved(chosen(names), seed, report, workers):
        click.echo("stopped by a signal", err=True)
        return FAILED
    click.echo(f"\n{head}\n{report.table()}")
    return FAILED if report.has_failed else 0
