"""What can be said of the container without an engine: its files fit together, it has no rights and time to drain."""

import configparser
import json
import re
import tomllib
from fnmatch import fnmatch
from typing import Any

import yaml

from tests.world.sources import ROOT
from ucr.config.model import Server

ENDED_AFTER_S = 6
"""A worker that has not ended so long after its grace time is ended: see docs/architecture.md."""

WORDS = frozenset(
    [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "USER",
        "VOLUME",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ]
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def instructions() -> list[tuple[str, str]]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    parts = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in parts]


def of(word: str) -> list[str]:
    return [rest for each, rest in instructions() if each == word]


def test_only_known_instructions_stand_there_and_the_last_stage_has_no_rights() -> None:
    assert {word for word, _ in instructions()} <= WORDS
    last = instructions()[[word for word, _ in instructions()].index("USER") :]
    assert last[0] == ("USER", "10001")
    assert {word for word, _ in last} <= {
        "USER",
        "VOLUME",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored, *kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored == "*"
    sources = [name for rest in of("COPY") if not rest.startswith("--from") for name in rest.split()[:-1]]
    assert "ucr" in sources
    for name in sources:
        assert (ROOT / name).exists()
        assert any(fnmatch(name, pattern.removeprefix("!")) for pattern in kept if pattern.startswith("!"))


def test_what_is_installed_is_an_extra_and_the_base_is_new_enough() -> None:
    (installed,) = [rest for rest in of("RUN") if "pip install" in rest]
    extras = re.findall(r'"\.\[(.*)\]"', installed)[0].split(",")
    assert set(extras) <= PROJECT["optional-dependencies"].keys()
    bases = {rest.split()[0] for rest in of("FROM")}
    (minor,) = {int(base.removeprefix("python:3.").removesuffix("-slim")) for base in bases}
    assert minor >= int(PROJECT["requires-python"].removeprefix(">=3."))


def test_the_router_gets_signals_itself() -> None:
    assert json.loads(of("ENTRYPOINT")[0])[0] in PROJECT["scripts"]
    assert json.loads(of("CMD")[0]) == ["serve"]
    assert of("STOPSIGNAL") == ["SIGTERM"]


def test_the_health_check_is_a_program_that_compiles() -> None:
    python, option, program = json.loads(of("HEALTHCHECK")[0].partition(" CMD ")[2])
    assert (python, option) == ("python", "-c")
    compile(program, "HEALTHCHECK", "exec")


def test_services_have_no_rights_and_time_to_drain() -> None:
    for service in COMPOSE["services"].values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    router = COMPOSE["services"]["ucr"]
    assert int(router["stop_grace_period"].removesuffix("s")) >= Server().grace_s + ENDED_AFTER_S
    assert [port.split(":")[0] for port in router["ports"]] == ["127.0.0.1"]
    assert {place.split(":")[1] for place in router["volumes"]} == {"/etc/ucr/ucr.toml", "/var/lib/ucr"}


def test_the_unit_of_systemd_gives_time_to_drain_and_restarts_nothing_that_is_wrong() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "docs" / "ucr-trio.service", encoding="utf-8")
    service = unit["Service"]
    assert service.getint("TimeoutStopSec") >= Server().grace_s + ENDED_AFTER_S
    assert service["RestartPreventExitStatus"] == "2"
    assert "ucr-trio serve --config" in service["ExecStart"]
