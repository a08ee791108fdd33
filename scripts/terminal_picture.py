"""Draw `ucr-trio top` as it shows a real session, for the README: `python scripts/terminal_picture.py docs/assets/top.svg`.

A router runs as a process, before two providers that answer (UCR's demo provider, by other names) and one that
is down. For some seconds agents ask it, whole and as streams. What the live feed says meanwhile is drawn as `ucr-trio top` draws it.
"""

import json
import re
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path

import httpx
import trio
from router_process import free_port

from ucr.demo import open_demo
from ucr.observe.board import Board
from ucr.observe.top_drawing import page

COLUMNS, ROWS = 112, 27
SAMPLES = 12
CHARACTER, LINE, LEFT, TOP = 8.0, 18, 18, 46
GROUND, TEXT = "#0d1117", "#e6edf3"
STYLES = {
    "1": f'fill="{TEXT}" font-weight="bold"',
    "2": 'fill="#8b949e"',
    "7": f'fill="{GROUND}"',
    "31": 'fill="#ff7b72"',
    "33": 'fill="#e3b341"',
}
CONFIG = """
[server]
workers = 2

[[providers]]
id = "anthropic"
dialect = "openai-chat"
base_url = "{base_url}"

[[providers]]
id = "ollama"
dialect = "openai-chat"
base_url = "{base_url}"

[[providers]]
id = "groq"
base_url = "http://127.0.0.1:{nobody}/v1"
api_key = "unused"
max_requests = 8

[router]
default = ["groq/openai/gpt-oss-120b", "anthropic/claude-sonnet-4-5"]
background = "ollama/qwen3:8b"
"""
ASKED = (
    ("/v1/messages", "claude-sonnet-4-5", True),
    ("/v1/messages", "claude-haiku-4-5", False),
    ("/v1/chat/completions", "anthropic/claude-opus-4-5", True),
    ("/v1/messages", "claude-sonnet-4-5", False),
)


def main(target: str) -> None:
    lines = trio.run(session)
    Path(target).write_text(picture(lines), "utf-8")


async def session() -> list[str]:
    """Return the page of `ucr-trio top` after some seconds of a router's work."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environ = {"PATH": "/usr/bin:/bin", "HOME": folder, "PYTHONPATH": str(Path(__file__).parent.parent)}
        async with open_demo() as base_url, trio.open_nursery() as nursery:
            config = trio.Path(folder, "ucr.toml")
            await config.write_text(CONFIG.format(base_url=base_url, nobody=free_port()), "utf-8")
            command = [sys.executable, "-P", "-m", "ucr.cli"]
            serve = [*command, "serve", "--config", str(config), "--port", str(port)]
            await nursery.start(run_router, serve, environ, url)
            top = [*command, "top", "--json", "--samples", str(SAMPLES), "--url", url]
            async with trio.open_nursery() as agents:
                agents.start_soon(ask_for_ever, url)
                said = await trio.run_process(top, capture_stdout=True, env=environ)
                agents.cancel_scope.cancel(reason="enough was seen")
            nursery.cancel_scope.cancel(reason="enough was seen")
    board = Board()
    for line in said.stdout.splitlines():
        board.take(json.loads(line))
    return page(board, "http://127.0.0.1:3000", COLUMNS, ROWS)


async def run_router(
    command: Sequence[str],
    environ: dict[str, str],
    url: str,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the router until cancelled; report when it is ready."""
    async with trio.open_nursery() as nursery:
        quiet = partial(trio.run_process, command, env=environ, stdout=-3, stderr=-3, check=False)
        nursery.start_soon(quiet)
        async with httpx.AsyncClient() as client:
            while not await is_ready(client, url):  # noqa: ASYNC110
                await trio.sleep(0.1)
        task_status.started()


async def is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/ready")).is_success
    except httpx.TransportError:
        return False


async def ask_for_ever(url: str) -> None:
    """Ask as a handful of agents do, each thing twice in a row now and again."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        number = 0
        while True:
            path, model, stream = ASKED[number % len(ASKED)]
            turns = [{"role": "user", "content": f"Step {number // 7} of the plan."}]
            body = {"model": model, "max_tokens": 512, "stream": stream, "messages": turns}
            await client.post(path, json=body, headers={"x-claude-code-session-id": f"session-{number % 3}"})
            number += 1
            await trio.sleep(0.05)


def picture(lines: Sequence[str]) -> str:
    """Return a terminal's window with these lines, in which styles are as terminals know them."""
    width, height = round(COLUMNS * CHARACTER) + 2 * LEFT, TOP + (len(lines) + 1) * LINE
    font = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" {font}>'
    ground = f'<rect width="{width}" height="{height}" rx="10" fill="{GROUND}" stroke="#6e7681"/>'
    lights = [
        f'<circle cx="{20 + 18 * n}" cy="18" r="5.5" fill="{c}"/>'
        for n, c in enumerate(("#ff5f56", "#ffbd2e", "#27c93f"))
    ]
    title = f'<text x="{width / 2}" y="22" text-anchor="middle" fill="#8b949e">ucr-trio top</text>'
    shown = [drawn(number, line) for number, line in enumerate(lines)]
    label = (
        "<title>ucr-trio top: requests, times, providers with their breakers, and what happened lately</title>"
    )
    return "\n".join([head, label, ground, *lights, title, *shown, "</svg>"]) + "\n"


def drawn(number: int, line: str) -> str:
    """Return one line of the page; its style, if it has one, stands before it."""
    styled = re.fullmatch(r"\x1b\[(\d+)m(.*)\x1b\[0m", line)
    code, text = styled.groups() if styled else ("", line)
    y = TOP + number * LINE
    bar = (
        f'<rect x="{LEFT - 6}" y="{y - 13}" width="{COLUMNS * CHARACTER + 12}" height="{LINE}" fill="#8b949e"/>'
        if code == "7"
        else ""
    )
    length = f' textLength="{len(text.rstrip()) * CHARACTER:g}"' if text.strip() else ""
    style = STYLES.get(code, f'fill="{TEXT}"')
    return f'{bar}<text x="{LEFT}" y="{y}" xml:space="preserve"{length} {style}>{escape(text.rstrip())}</text>'


if __name__ == "__main__":
    main(sys.argv[1])
