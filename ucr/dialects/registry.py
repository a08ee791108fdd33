"""Dialects by name."""

from collections.abc import Mapping
from types import MappingProxyType

from ucr.dialects.roles import ClientDialect, ProviderDialect

PROVIDERS: Mapping[str, ProviderDialect] = MappingProxyType({})
CLIENTS: Mapping[str, ClientDialect] = MappingProxyType({})
