"""The official `anthropic` SDK in two generations before every provider dialect, through a router process.

`python -m tests.world.sdk_check OLD` has the older generation in the folder OLD. What each scripted provider says
depends on a word in the request; it answers by what it has found there.
"""

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from tests.world.matrix_providers import SCRIPTS, THOUGHT, Script
from tests.world.process import serving, started
from ucr.stress.failing.moves import Call, Say
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

PROGRAM = Path(__file__).with_name("sdk_anthropic.py")
LIMIT_S = 240.0
WORDS = "this is what the provider said"
LOOK = Call("call_looks0001", "look", {"city": "Köln"})
SECOND = Call("call_looks0002", "look", {"city": 'Rome "∞" \\ 1'})
SCENES: Mapping[str, Say] = {
    "plain": Say("Hello there."),
    "tools": Say("Let me look.", calls=(LOOK,)),
    "parallel-tools": Say("Let me look.", calls=(LOOK, SECOND)),
    "thinking": Say("Let me look.", THOUGHT, (LOOK,)),
    "error-before": Say(),
    "error-in-stream": Say("Hello there."),
}
IDS = {
    "anthropic": "anthropic",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "gemini": "google",
    "ollama": "ollama",
    "openai-chat": "chat",
    "openai-responses": "openai",
}
"""The provider of each dialect: what the catalogue says of it holds."""

PROVIDER = """\
[[providers]]
id = "{id}"
dialect = "{dialect}"
base_url = "http://127.0.0.1:{port}{path}"
api_key = "scripted-key"
default_model = "{model}"
"""
REST = """\
[router]
default = "anthropic"

[cache]
enabled = false
"""


def plays(script: Script) -> Handler:
    """Answer in one dialect what the scene asks for."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        found = re.search(rb"SCENE=([a-z-]+)", request.body)
        assert found is not None, request.body
        scene = found[1].decode()
        if scene == "error-before":
            body = json.dumps(script.error(WORDS)).encode()
            await answer.reply(400, body, (("content-type", "application/json"),))
        elif not is_streamed(request):
            whole = json.dumps(script.whole(said(script, request, scene), script.model)).encode()
            await answer.reply(200, whole, (("content-type", "application/json"),))
        else:
            say = said(script, request, scene)
            is_broken = scene == "error-in-stream"
            parts = script.broken(say, script.model, WORDS) if is_broken else script.stream(say, script.model)
            await answer.head(200, (("content-type", script.media),))
            await answer.send(b"".join(parts))
            await answer.finish()

    return handle


def said(script: Script, request: SeenRequest, scene: str) -> Say:
    """Return what the provider says, which it takes from what it has seen."""
    seen = script.seen(json.loads(request.body))
    if scene == "image":
        return Say(f"{len(seen.images)} image.")
    results = [text for text in seen.results.values() if "rain, 12°" in text]
    return Say(f"{len(results)} results.") if results else SCENES[scene]


def is_streamed(request: SeenRequest) -> bool:
    if request.path.partition("?")[0].endswith(("streamGenerateContent", "/converse-stream")):
        return True
    return bool(json.loads(request.body).get("stream"))


async def run(old: Path) -> bool:
    """Run both generations; return whether every cell passed."""
    with tempfile.TemporaryDirectory(prefix="ucr-sdk-") as name, trio.fail_after(LIMIT_S):
        async with AsyncExitStack() as stack:
            written = []
            for dialect, script in SCRIPTS.items():
                port = await stack.enter_async_context(serving(Upstream(plays(script))))
                path = "/v1" if dialect == "openai-chat" else ""
                model = script.seeing or script.model
                fields = {"id": IDS[dialect], "dialect": dialect, "model": model}
                written.append(PROVIDER.format(port=port, path=path, **fields))
            config = Path(name) / "ucr.toml"
            config.write_text("\n".join([*written, REST]), "utf-8")
            command = ("serve", "--config", str(config), "--port", "0", "--in-process")
            router = await stack.enter_async_context(started(Path(name), *command))
            base_url = f"http://127.0.0.1:{await router.wait_port()}"
            verdicts = [await is_good(base_url, folder) for folder in (old, None)]
            router.terminate()
            status = await router.process.wait()
        assert status == 0, router.stderr.decode()
    return all(verdicts)


async def is_good(base_url: str, folder: Path | None) -> bool:
    """Run the program with the SDK of a folder, or with the installed one; it prints what became of each cell."""
    targets = [f"{IDS[dialect]}/{script.seeing or script.model}" for dialect, script in SCRIPTS.items()]
    environ = {} if folder is None else {"PYTHONPATH": str(folder)}
    command = [sys.executable, str(PROGRAM), base_url, *targets]
    return (await trio.run_process(command, check=False, env=environ)).returncode == 0


def main() -> int:
    is_passed = trio.run(run, Path(sys.argv[1]))
    print("all cells passed" if is_passed else "some cells failed")
    return 0 if is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
