from pathlib import Path

import pytest
import trio
from bench_bodies import answer, expected, question
from bench_nginx import CANS, HOST, Canned, Origin, certify, free_ports, proxy, quoted, upstream
from bench_process import checked


def unquoted(words: list[str]) -> str:
    return "".join(word[1:-1].replace("\\'", "'").replace("\\\\", "\\") for word in words)


def test_a_text_is_quoted_in_pieces_that_nginx_takes() -> None:
    text = 'it\'s a \\n and "more" ' * 50
    words = list(quoted(text, 100))
    assert max(map(len, words)) < 150
    assert unquoted(words) == text


def test_no_answer_holds_what_nginx_would_take_for_a_variable() -> None:
    assert not any(b"$" in answer(can.dialect, stream=can.stream) for can in CANS)


def test_an_origin_with_tls_is_called_by_the_name_in_its_certificate() -> None:
    assert Origin(8000).url == "http://127.0.0.1:8000"
    assert Origin(8000, tls=True).url == f"https://{HOST}:8000"


def test_free_ports_are_different_ones() -> None:
    assert len(set(free_ports(8))) == 8


@pytest.mark.slow
@pytest.mark.needs("nginx", "openssl")
async def test_the_upstream_gives_its_answers_and_a_proxy_passes_them_on(tmp_path: Path) -> None:
    with trio.fail_after(60):
        certificate = await certify(tmp_path)
        async with upstream(tmp_path / "upstream", certificate) as origins:
            for stream, tls in ((False, False), (True, False), (True, True)):
                origin = origins[Canned("anthropic", stream, tls)]
                folder = tmp_path / f"proxy-{stream}-{tls}"
                async with proxy(folder, origin, certificate, workers=1) as (port, _):
                    asked = question(port, "anthropic", "large", stream=stream)
                    await checked(port, asked.whole(), expected(stream=stream), "nginx")
