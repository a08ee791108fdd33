"""What a provider of Amazon Bedrock's needs besides a key: its region, and the keys that requests are signed with."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ucr.config.kinds import Key, Wrong
from ucr.config.model import Provider
from ucr.config.reading import Reading, Values
from ucr.secret import Secret
from ucr.sigv4 import AwsKeys

REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
OTHER_KEYS = "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "access_key_id": "AWS_ACCESS_KEY_ID",
        "secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
    }
)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


def is_bedrock(provider: Provider) -> bool:
    """True for a provider that Amazon hosts."""
    return provider.dialect == "bedrock" or provider.quirks.platform == "bedrock"


def on_bedrock(reading: Reading, values: Values, provider: Provider) -> Provider:
    """Fill in the region, its address, and the keys: those of the file, else those of the environment.

    Keys that sign stand back behind a key that is sent.
    """
    environ = reading.environ
    region = provider.quirks.region or next((environ[name] for name in REGIONS if environ.get(name)), None)
    url = provider.base_url or (f"https://bedrock-runtime.{region}.amazonaws.com" if region else "")
    aws = None if provider.api_keys or provider.auth == "none" else _keys(reading, values)
    return replace(provider, base_url=url, aws=aws, quirks=provider.quirks.with_({"region": region}))


def check_bedrock(reading: Reading, values: Values, provider: Provider, at: str) -> None:
    """Note what is missing, or cannot be."""
    region = provider.quirks.region
    if region is not None and not _REGION.fullmatch(region):
        reading.problem(f"{at}.region", region, "must be the name of a region such as us-east-1")
    elif region is None and (not provider.base_url or provider.aws is not None):
        reading.problem(f"{at}.region", None, "is missing; write one such as us-east-1, or set AWS_REGION")
    given = [key for key in VARIABLES if values.get(key) is not None]
    for key in ("access_key_id", "secret_access_key"):
        if given and key not in given:
            reading.problem(f"{at}.{key}", None, f"is missing beside {given[0]}")


def _keys(reading: Reading, values: Values) -> AwsKeys | None:
    """Return keys that were written together: a secret of the file's never goes with a name of the environment's."""
    found = {key: values.get(key) for key in VARIABLES}
    if not any(found.values()):
        found = {key: key_in(reading.environ.get(variable, "")) for key, variable in VARIABLES.items()}
        reading.secrets.extend(key for key in found.values() if key is not None)
    name, secret = found["access_key_id"], found["secret_access_key"]
    return None if name is None or secret is None else AwsKeys(name, secret, found["session_token"])


def key_in(text: str) -> Secret | None:
    """Return a key of the environment's; what no header can carry is none."""
    try:
        return Key().read(text)
    except Wrong:
        return None
