"""What stands behind the cache: what may be written, and what does not go together."""

import pytest

from actors.redis_address import RedisAddress
from ucr.config.backing_fields import RedisUrl
from ucr.config.kinds import Wrong
from ucr.config.load import load
from ucr.config.model import Cache
from ucr.errors import ConfigError

PROVIDER = '[[providers]]\nid = "deepseek"\nauth = "none"'
SECRET = "0123456789abcdef"


def cache_of(*lines: str, environ: dict[str, str] | None = None) -> Cache:
    return load("\n".join((PROVIDER, "[cache]", *lines)), "ucr.toml", environ or {}).cache


def problems(*lines: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        cache_of(*lines)
    return [str(problem) for problem in caught.value.problems]


def test_redis_is_configured_with_a_url_and_a_secret() -> None:
    cache = cache_of(
        'backend = "redis"', 'url = "${REDIS}"', f'secret = "{SECRET}"', environ={"REDIS": "rediss://:pw@a/2"}
    )
    assert (cache.backend, cache.url) == ("redis", RedisAddress("a", tls=True, database=2, password="pw"))
    assert cache.secret is not None
    assert cache.secret.reveal() == SECRET
    assert SECRET not in repr(cache)
    assert "pw" not in repr(cache)


def test_password_and_secret_are_known_to_the_log() -> None:
    text = f'{PROVIDER}\n[cache]\nbackend = "redis"\nurl = "redis://:hunter22@a"\nsecret = "{SECRET}"'
    assert {secret.reveal() for secret in load(text, "ucr.toml", {}).secrets} == {"hunter22", SECRET}


def test_a_file_may_stand_alone_or_with_a_secret() -> None:
    assert cache_of('path = "answers.sqlite"').path == "answers.sqlite"
    assert cache_of('path = "answers.sqlite"', f'secret = "{SECRET}"').secret is not None


def test_all_that_redis_lacks_is_told_at_once() -> None:
    url, secret, path = problems('backend = "redis"', 'path = "a"')
    assert "cache.url" in url
    assert "redis://cache.example.com" in url
    assert "cache.secret" in secret
    assert "${UCR_CACHE_SECRET}" in secret
    assert "cache.path" in path


@pytest.mark.parametrize("secret", ['""', '"too short"'])
def test_a_secret_that_is_none_is_told_once(secret: str) -> None:
    (problem,) = problems('backend = "redis"', 'url = "redis://a"', f"secret = {secret}")
    assert "cache.secret" in problem
    assert "too short" not in problem


def test_a_url_without_redis_has_no_effect_and_is_told() -> None:
    (problem,) = problems('url = "redis://:pw@a"')
    assert 'cache.backend = "redis"' in problem
    assert "pw" not in problem


@pytest.mark.parametrize(
    "url",
    [5, "", "http://a", "redis://", "redis://169.254.169.254", "redis://a/x", "redis://a/" + "0" * 2048],
)
def test_what_is_no_server_is_refused_without_showing_it(url: object) -> None:
    with pytest.raises(Wrong):
        RedisUrl().read(url)


def test_a_wrong_url_is_not_shown() -> None:
    (problem,) = problems('backend = "redis"', 'url = "redis://:hunter22@a:x"', f'secret = "{SECRET}"')
    assert "cache.url" in problem
    assert "hunter22" not in problem
