import json
import os
import socket
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio

from actors import RealNetwork
from ucr.config.model import Config, Server
from ucr.errors import ConfigError
from ucr.operate.examination import examined, of_another, read_configuration
from ucr.operate.finding import Finding
from ucr.operate.seat import Running
from ucr.stress.upstream import Answer, SeenRequest, Upstream

FILE = """
[[providers]]
id = "up"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
api_key = "{key}"
[[providers]]
id = "off"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9/v1"
enabled = false
[router]
default = "up"
"""


async def both(request: SeenRequest, answer: Answer) -> None:
    """Be the router of a client with any key, and a provider whose key is `good`."""
    status = 401 if request.header("authorization") == "Bearer bad" else 200
    body = json.dumps({"status": "ready", "data": [{"id": "m"}]}).encode()
    await answer.head(status, (("content-length", str(len(body))),))
    await answer.raw(body)


async def findings_of(home: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    async with trio.open_nursery() as nursery:
        upstream = Upstream(both)
        listeners = await nursery.start(partial(trio.serve_tcp, upstream.serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        monkeypatch.setenv("UCR_PORT", str(port))
        (home / "ucr.toml").write_text(FILE.format(port=port, key=key), "utf-8")
        (home / "ucr.toml").chmod(0o600)
        found = read_configuration(None, os.environ)
        findings = await examined(found, None, os.environ, RealNetwork(), lambda: 0.0)
        nursery.cancel_scope.cancel()
    return findings


@pytest.mark.parametrize(("key", "verdict"), [("good", "ok"), ("bad", "failed")])
async def test_router_and_providers_are_really_asked(
    home: Path, key: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = {finding.area: finding for finding in await findings_of(home, key, monkeypatch)}
    assert findings["router"].words.startswith("a client is answered at http://127.0.0.1:")
    assert findings["provider up"].verdict == verdict
    assert findings["provider off"].words == "is not enabled"
    assert list(findings)[:3] == ["configuration", "permissions", "limits"]


async def test_where_no_router_runs_the_port_is_looked_at(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE.format(port=9, key="k"), "utf-8")
    found = read_configuration(None, os.environ)
    findings = await examined(found, None, os.environ, RealNetwork(), lambda: 0.0)
    words = {finding.area: finding.words for finding in findings}
    assert words["router"] == "no router runs"
    assert words["port"].endswith("is free")


def test_a_router_in_the_background_that_serves_another_file_is_named(tmp_path: Path) -> None:
    mine, other = tmp_path / "ucr.toml", tmp_path / "other.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(port=taken.getsockname()[1])
        config = Config(server=server, source=str(mine))
        same = Running(1, "", "", server.url(), str(tmp_path / "." / "ucr.toml"), "")
        assert list(of_another(same, config)) == []
        assert list(of_another(None, config)) == []
        assert list(of_another(same, Config())) == []
        for place, told in ((str(other), str(other)), (None, "what it has found itself")):
            (finding,) = of_another(replace(same, config=place), config)
            assert finding.verdict == "warning"
            assert f"serves {told}, not {mine}" in finding.words
            assert finding.remedy.endswith(f"ucr-trio start --config {mine}")
        (port,) = of_another(replace(same, url="http://127.0.0.1:1"), config)
        assert (port.area, port.verdict) == ("port", "failed")


async def test_a_wrong_configuration_ends_it_early(home: Path) -> None:
    (home / "ucr.toml").write_text("[router]\ncustom = 'none.py'\n", "utf-8")
    found = read_configuration(None, os.environ)
    assert isinstance(found, ConfigError)
    findings = await examined(found, None, os.environ, RealNetwork(), lambda: 0.0)
    assert findings[0].verdict == "failed"
    assert not [finding for finding in findings if finding.area.startswith("provider")]
