from types import MappingProxyType

from actors import ChildStatistics, Count, Mailbox, Observation
from actors.totals import Totals
from ucr.config.model import Client, Config, ModelTarget, Provider, Router
from ucr.control import ReloadResult
from ucr.messages import (
    CODEC,
    Applied,
    Beat,
    ClearCache,
    Drain,
    Gather,
    ProviderFact,
    Reconfigure,
    Rejected,
    ReloadNow,
    RemedyFound,
    TakeView,
)
from ucr.messages import Totals as TotalsMessage
from ucr.secret import Secret
from ucr.views import Gathered, ParentView, WorkerView

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


STATISTICS = Mailbox[int]("m", capacity=1).statistics()
CHILD = ChildStatistics("a", "running", 1, 2, mailbox=STATISTICS)
COUNTED = Totals()
COUNTED.add((Count("n", (("provider", "up"),), 2.0),), (Observation("s", 0.3),))
VIEW = WorkerView(
    "0",
    7,
    children=(CHILD, ChildStatistics("b", "running", 0, 0, children=(CHILD,))),
    providers={"up": {"state": "serving", "keys": [{"cooling_in_s": None}]}},
    cache={"hits": 1},
    metrics=COUNTED.snapshot(),
)
VIEWS = (
    VIEW,
    Gathered((VIEW,), ParentView(1, children=(CHILD,)), COUNTED.snapshot()),
    TotalsMessage(VIEW),
    ReloadResult(False, 3, ("why",)),
    ProviderFact("up", "auth", 1, 2.5),
    RemedyFound("up", "m", "drop", ("a", "b"), {"c": 1}),
    TakeView(),
    Gather(),
    ReloadNow(),
    ClearCache(),
)


def test_every_message_comes_back_as_it_was() -> None:
    for message in (Reconfigure(3, FULL), Applied(3), Drain(1.5), Beat(), *VIEWS):
        assert CODEC.decode(*CODEC.encode(message)) == message


def test_a_configuration_arrives_with_its_secrets_and_does_not_show_them() -> None:
    message = CODEC.decode(*CODEC.encode(Reconfigure(3, FULL)))
    assert message.config.providers[0].api_keys[0].reveal() == "sk-1"
    assert "sk-1" not in repr(message)


def test_a_rejection_comes_back_as_itself() -> None:
    again = CODEC.decode_error(*CODEC.encode_error(Rejected("why")))
    assert (type(again), str(again)) == (Rejected, "why")
