"""The card of a probe: how the router is set up for it, and how what was seen is told. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ucr.config.model import Cache, Config, ModelTarget, Provider, Router, Server, Usage
from ucr.jsontext import JsonObject
from ucr.probe.checks import NEEDED, Check, Seen

Results = tuple[tuple[Check, Seen], ...]


def config_for(config: Config, provider: Provider) -> Config:
    """Return a configuration in which this provider alone is asked, with whatever is thought that it cannot do.

    Nothing is kept, healed or tried again, so that what is seen is what the provider does.
    """
    quirks = provider.quirks.with_(
        {
            "tools": True,
            "images": True,
            "text_models": (),
            "image_models": (),
            "heal": False,
            "context_window": None,
        }
    )
    bare = replace(provider, quirks=quirks, enabled=True)
    router = Router(default=(ModelTarget(provider.id),), max_attempts=2)
    return Config(
        server=Server(port=0),
        timeouts=config.timeouts,
        providers=(bare,),
        router=router,
        cache=Cache(enabled=False),
        usage=Usage(enabled=False),
        source=config.source,
        secrets=config.secrets,
    )


def passed(results: Results) -> bool:
    """True when nothing failed, and what everybody needs is there."""
    verdicts = {check.name: seen.verdict for check, seen in results}
    is_whole = all(verdicts.get(name) == "works" for name in NEEDED)
    return is_whole and "fails" not in verdicts.values()


def lines(target: str, results: Results) -> Iterator[str]:
    """Give the lines of the card."""
    yield target
    for check, seen in results:
        yield f"  {check.name:<22} {seen.verdict:<8} {seen.words}"
    yield f"  {'passed' if passed(results) else 'not passed'}"


def as_json(target: str, results: Iterable[tuple[Check, Seen]]) -> JsonObject:
    """Return the card as plain data."""
    kept = tuple(results)
    checks = [{"check": check.name, "verdict": seen.verdict, "seen": seen.words} for check, seen in kept]
    return {"target": target, "passed": passed(kept), "checks": checks}
