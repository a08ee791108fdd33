import pytest

from tests.world.chat_streams import context
from tests.world.cohere import target
from ucr.dialects.cohere.provider import CohereProvider
from ucr.dialects.roles import Request

PROVIDER = CohereProvider()
REQUEST = Request("cohere", b"{}", {}, "m", False, {})


def test_nothing_passes_through_in_a_dialect_without_clients() -> None:
    with pytest.raises(TypeError, match="no client speaks cohere"):
        PROVIDER.build_same(REQUEST, target())
    with pytest.raises(TypeError, match="no client speaks cohere"):
        PROVIDER.tap(context(), strict=False)
    with pytest.raises(TypeError, match="no client speaks cohere"):
        PROVIDER.pass_reply(b"{}", context())
