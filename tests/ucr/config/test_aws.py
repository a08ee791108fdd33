from typing import Any

import pytest

from tests.ucr.config.test_providers import one, read

ENV = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
PLACE = {"AWS_REGION": "eu-west-1"}


def keys(*given: Any, **more: Any) -> list[str]:
    provider = one(*given, **more)
    return [] if provider.aws is None else [secret.reveal() for secret in provider.aws.secrets]


@pytest.mark.parametrize(
    ("table", "environ", "region"),
    [
        ({"region": "us-west-2"}, {"AWS_REGION": "eu-west-1"}, "us-west-2"),
        ({}, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-west-1"),
        ({}, {"AWS_DEFAULT_REGION": "us-gov-west-1"}, "us-gov-west-1"),
    ],
)
def test_a_provider_is_where_its_region_is(table: dict[str, str], environ: dict[str, str], region: str) -> None:
    provider = one({"id": "bedrock-anthropic", "api_key": "k", **table}, environ)
    assert provider.base_url == f"https://bedrock-runtime.{region}.amazonaws.com"
    assert (provider.quirks.region, provider.auth, provider.aws) == (region, "bearer", None)


def test_the_keys_of_the_file_go_before_those_of_the_environment_and_are_not_mixed_with_them() -> None:
    assert keys({"id": "bedrock-anthropic"}, ENV | PLACE) == ["s", "t", "AKID"]
    written = {"id": "bedrock-anthropic", "access_key_id": "A", "secret_access_key": "B"}
    assert keys(written, ENV | PLACE) == ["B", "A"]


def test_a_key_that_is_sent_goes_before_keys_that_sign() -> None:
    found = one({"id": "bedrock-anthropic"}, ENV | PLACE | {"AWS_BEARER_TOKEN_BEDROCK": "b"})
    assert ([key.reveal() for key in found.api_keys], found.aws) == (["b"], None)


def test_what_is_missing_or_cannot_be_is_told_all_at_once() -> None:
    assert read({"id": "bedrock-anthropic"})[1] == [
        "providers.bedrock-anthropic.base_url: is missing; write the root of the provider's API",
        "providers.bedrock-anthropic.region: is missing; write one such as us-east-1, or set AWS_REGION",
        "providers.bedrock-anthropic.api_key: no API key; set AWS_BEARER_TOKEN_BEDROCK or"
        " providers.bedrock-anthropic.api_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ]
    half = {"id": "bedrock-anthropic", "access_key_id": "A", "region": "Frankfurt", "api_key": "k"}
    assert read(half)[1] == [
        "providers.bedrock-anthropic.region: must be the name of a region such as us-east-1",
        "providers.bedrock-anthropic.secret_access_key: is missing beside access_key_id",
    ]
