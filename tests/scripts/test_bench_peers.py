from dataclasses import replace
from pathlib import Path

import pytest
from bench_bodies import Dialect
from bench_contenders import Setting
from bench_nginx import Certificate, Origin
from bench_peers import install_commands, peers

SETTING = Setting(
    Origin(9000), "anthropic", "openai-chat", 1, False, Path("folder"), Certificate(Path("c"), Path("k"))
)
CHAT = replace(SETTING, client="openai-chat")
PEERS = {peer.name: peer for peer in peers(Path("/base"))}


def able(setting: Setting) -> set[str]:
    return {name for name, peer in PEERS.items() if peer.can(setting)}


def test_a_peer_is_asked_for_what_it_speaks_and_nothing_else() -> None:
    assert able(SETTING) == {"rolter", "litellm"}
    assert able(CHAT) == {"rolter", "smg", "ferrogw", "portkey", "litellm"}
    assert able(replace(SETTING, kind="own")) == able(replace(SETTING, kind="crowd")) == set()


@pytest.mark.parametrize("name", sorted(PEERS))
@pytest.mark.parametrize("provider", ["openai-chat", "anthropic"])
def test_every_peer_is_led_to_the_upstream_and_to_its_port(name: str, provider: Dialect) -> None:
    peer = PEERS[name]
    launch = peer.launch(replace(SETTING, provider=provider), peer.home, 8123)
    texts = [*launch.command, *launch.variables.values(), *(launch.files or {}).values()]
    texts += [value for _, value in launch.headers]
    assert any("http://127.0.0.1:9000" in text for text in texts)
    assert any("8123" in text for text in texts)
    assert all("{" not in text for text in texts)


def test_each_has_its_own_installer_and_its_own_folder() -> None:
    assert install_commands(PEERS["portkey"])[0][:4] == ["npm", "install", "--prefix", "/base/portkey"]
    venv, pip = install_commands(PEERS["litellm"])
    assert venv[-1] == "/base/litellm"
    assert (pip[0], pip[-1]) == ("/base/litellm/bin/python", "litellm[proxy]")
    assert len({peer.home for peer in PEERS.values()}) == len(PEERS)
