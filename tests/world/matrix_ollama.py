"""How a client of Ollama's API asks, and what it reads in the answers that reach it."""

import json

from tests.world import ollama
from tests.world.matrix_words import LIMIT, MODEL, PICTURE, SCHEMA, Client, Json, Question, Told


def _ask(question: Question) -> tuple[str, Json]:
    picture = {"images": [PICTURE]}
    messages: list[Json] = [{"role": "system", "content": question.system}] if question.system else []
    shown = picture if question.shows_picture else {}
    messages.append({"role": "user", "content": question.text, **shown})
    for turn in question.history:
        messages.append(turn.answer["message"])
        for id_, name, text in turn.results:
            shown = picture if turn.shows_picture else {}
            messages.append({"role": "tool", "tool_name": name, "tool_call_id": id_, "content": text, **shown})
    options = {"num_predict": LIMIT}
    body: Json = {"model": MODEL, "messages": messages, "stream": question.stream, "options": options}
    function = {"name": question.tool, "description": "Look.", "parameters": SCHEMA}
    body |= {"tools": [{"type": "function", "function": function}]} if question.tool else {}
    body |= {"think": "medium"} if question.thinks else {}
    return "/api/chat", body


def _gather(lines: list[Json]) -> Json:
    message: Json = {"role": "assistant", "content": ""}
    for line in lines:
        for key, value in line["message"].items():
            if key != "role" and value:
                message[key] = message[key] + value if key in message else value
    return {**lines[-1], "message": message}


def _read(reply: Json) -> Told:
    message = reply["message"]
    told = Told(message["content"], message.get("thinking") or "", model=reply["model"])
    for call in message.get("tool_calls") or ():
        told.calls.append((call.get("id", ""), call["function"]["name"], call["function"]["arguments"]))
    told.ends_in_calls = reply["done"] and bool(told.calls)
    told.is_cut = reply["done_reason"] == "length"
    told.tokens = (reply["prompt_eval_count"], reply["eval_count"])
    return told


def _faults(body: bytes, stream: bool) -> list[str]:
    said = [json.loads(line) for line in body.splitlines()] if stream else [json.loads(body)]
    checks = ollama.validator("response")
    found = [problem.message[:200] for one in said for problem in checks.iter_errors(one)]
    return found if said[-1]["done"] else [*found, "the last line does not say that it is the last"]


def _error(said: list[Json]) -> str:
    return str(said[-1]["error"])


OLLAMA = Client(_ask, _gather, _read, _faults, _error, keeps_bytes=False)
