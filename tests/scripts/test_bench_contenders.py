from dataclasses import replace
from pathlib import Path

from bench_contenders import Direct, Nginx, Setting, Ucr, ucr_file
from bench_nginx import HOST, Certificate, Origin

from ucr.config.load import load

SETTING = Setting(
    Origin(9000), "anthropic", "openai-chat", 1, False, Path("folder"), Certificate(Path("c"), Path("k"))
)


def test_the_configuration_of_ucr_is_one_that_it_reads() -> None:
    config = load(ucr_file(SETTING), "ucr.toml", {})
    (provider,) = config.providers
    assert (provider.base_url, provider.default_model) == ("http://127.0.0.1:9000/v1", "m")
    assert config.server.front_lane
    assert not config.cache.enabled
    assert load(ucr_file(replace(SETTING, cache=True)), "ucr.toml", {}).cache.enabled


def test_what_passes_through_keeps_the_name_of_its_model() -> None:
    config = load(ucr_file(replace(SETTING, provider="anthropic", origin=Origin(9000, True))), "ucr.toml", {})
    (provider,) = config.providers
    assert (provider.base_url, provider.default_model) == (f"https://{HOST}:9000", None)


def test_the_upstream_alone_is_asked_where_its_times_say_what_a_router_adds() -> None:
    assert not Direct().can(SETTING)
    assert not Direct().can(replace(SETTING, kind="own"))
    assert Direct().can(replace(SETTING, kind="single"))
    assert all(one.can(replace(SETTING, kind="own")) for one in (Nginx(), Ucr()))
