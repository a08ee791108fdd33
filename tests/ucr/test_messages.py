from types import MappingProxyType

from ucr.config.model import Client, Config, ModelTarget, Provider, Router
from ucr.messages import CODEC, Applied, Beat, Drain, Reconfigure, Rejected
from ucr.secret import Secret

FULL = Config(
    providers=(
        Provider(
            "one",
            "openai-chat",
            "http://one.test",
            api_keys=(Secret("sk-1"),),
            headers=MappingProxyType({"x-title": "ucr"}),
        ),
    ),
    models=MappingProxyType({"fast": (ModelTarget("one", "m"),)}),
    router=Router(default=(ModelTarget("one"),)),
    clients=(Client("me", "0" * 64),),
    secrets=(Secret("sk-1"),),
)


def test_every_message_comes_back_as_it_was() -> None:
    for message in (Reconfigure(3, FULL), Applied(3), Drain(1.5), Beat()):
        assert CODEC.decode(*CODEC.encode(message)) == message


def test_a_configuration_arrives_with_its_secrets_and_does_not_show_them() -> None:
    message = CODEC.decode(*CODEC.encode(Reconfigure(3, FULL)))
    assert message.config.providers[0].api_keys[0].reveal() == "sk-1"
    assert "sk-1" not in repr(message)


def test_a_rejection_comes_back_as_itself() -> None:
    again = CODEC.decode_error(*CODEC.encode_error(Rejected("why")))
    assert (type(again), str(again)) == (Rejected, "why")
