"""How a client of each dialect asks, and what it reads in the answers that reach it."""

import json
from collections.abc import Mapping

from anthropic.types import Message
from openai.types.chat import ChatCompletion

from tests.world import chat_client, gemini, responses_client
from tests.world.check_anthropic_stream import check, frames
from tests.world.matrix_ollama import OLLAMA
from tests.world.matrix_words import LIMIT, MODEL, PICTURE, SCHEMA, Client, Json, Question, Told
from ucr import sse


def events_of(stream: bytes) -> list[Json]:
    """Return the data of the events of a stream, but for `[DONE]`; or its lines."""
    if stream.startswith(b"{"):
        return [json.loads(line) for line in stream.splitlines()]
    return [json.loads(event.data) for event in sse.Decoder().feed(stream) if event.data != "[DONE]"]


def _anthropic_ask(question: Question) -> tuple[str, Json]:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    picture = [{"type": "image", "source": source}] if question.shows_picture else []
    messages: list[Json] = [{"role": "user", "content": [*picture, {"type": "text", "text": question.text}]}]
    for turn in question.history:
        shown = [{"type": "image", "source": source}] if turn.shows_picture else []
        results = [
            {
                "type": "tool_result",
                "tool_use_id": id_,
                "content": [{"type": "text", "text": text}, *shown],
            }
            for id_, _, text in turn.results
        ]
        messages += [
            {"role": "assistant", "content": turn.answer["content"]},
            {"role": "user", "content": results},
        ]
    body: Json = {"model": MODEL, "max_tokens": LIMIT, "messages": messages, "stream": question.stream}
    body |= {"system": question.system} if question.system else {}
    body |= {"tools": [{"name": question.tool, "input_schema": SCHEMA}]} if question.tool else {}
    body |= {"thinking": {"type": "enabled", "budget_tokens": 2048}} if question.thinks else {}
    return "/v1/messages", body


def _anthropic_gather(events: list[Json]) -> Json:
    message: Json = events[0]["message"]
    written: dict[int, str] = {}
    for event in events:
        if event["type"] == "content_block_start":
            message["content"].append(event["content_block"])
        elif event["type"] == "message_delta":
            message |= event["delta"]
            message["usage"] |= event["usage"]
        elif event["type"] == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            match delta["type"]:
                case "text_delta":
                    block["text"] += delta["text"]
                case "thinking_delta":
                    block["thinking"] += delta["thinking"]
                case "signature_delta":
                    block["signature"] = delta["signature"]
                case "input_json_delta":
                    written[event["index"]] = written.get(event["index"], "") + delta["partial_json"]
    for index, text in written.items():
        message["content"][index]["input"] = json.loads(text)
    return message


def _anthropic_read(message: Json) -> Told:
    usage = message["usage"]
    told = Told(model=message["model"], tokens=(usage["input_tokens"], usage["output_tokens"]))
    told.ends_in_calls = message["stop_reason"] == "tool_use"
    told.is_cut = message["stop_reason"] == "max_tokens"
    for block in message["content"]:
        match block["type"]:
            case "text":
                told.text += block["text"]
            case "thinking":
                told.thinking += block["thinking"]
            case "tool_use":
                told.calls.append((block["id"], block["name"], block["input"]))
    return told


def _anthropic_faults(body: bytes, stream: bool) -> list[str]:
    if stream:
        return list(check(frames(body)))
    Message.model_validate_json(body, strict=True)
    return []


def _anthropic_error(said: list[Json]) -> str:
    assert said[-1]["type"] == "error"
    assert said[-1]["error"]["type"].endswith("_error")
    return str(said[-1]["error"]["message"])


def _chat_ask(question: Question) -> tuple[str, Json]:
    content: list[Json] = [{"type": "text", "text": question.text}]
    if question.shows_picture:
        content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}})
    messages: list[Json] = [{"role": "system", "content": question.system}] if question.system else []
    messages.append({"role": "user", "content": content if question.shows_picture else question.text})
    for turn in question.history:
        messages.append(turn.answer["choices"][0]["message"])
        messages += [{"role": "tool", "tool_call_id": id_, "content": text} for id_, _, text in turn.results]
    body: Json = {
        "model": MODEL,
        "max_completion_tokens": LIMIT,
        "messages": messages,
        "stream": question.stream,
    }
    body |= {"stream_options": {"include_usage": True}} if question.stream else {}
    tool = {"type": "function", "function": {"name": question.tool, "parameters": SCHEMA}}
    body |= {"tools": [tool]} if question.tool else {}
    body |= {"reasoning_effort": "medium"} if question.thinks else {}
    return "/v1/chat/completions", body


def _chat_gather(chunks: list[Json]) -> Json:
    message: Json = {"role": "assistant", "content": None}
    calls: dict[int, Json] = {}
    finish, usage = None, {}
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            finish = choice["finish_reason"] or finish
            for key, value in choice["delta"].items():
                if key == "tool_calls":
                    _chat_add(calls, value)
                elif key != "role" and value is not None:
                    message[key] = (message.get(key) or type(value)()) + value
    message |= {"tool_calls": [calls[index] for index in sorted(calls)]} if calls else {}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"model": chunks[0]["model"], "choices": [choice], "usage": usage}


def _chat_add(calls: dict[int, Json], pieces: list[Json]) -> None:
    for piece in pieces:
        fields = {"id": piece.get("id"), "type": "function", "function": {**piece["function"], "arguments": ""}}
        call = calls.setdefault(piece["index"], fields)
        call["function"]["arguments"] += piece["function"].get("arguments", "")


def _chat_read(completion: Json) -> Told:
    (choice,) = completion["choices"]
    message, usage = choice["message"], completion["usage"]
    told = Told(message.get("content") or "", message.get("reasoning_content") or "", model=completion["model"])
    for call in message.get("tool_calls") or ():
        told.calls.append((call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])))
    told.ends_in_calls = choice["finish_reason"] == "tool_calls"
    told.is_cut = choice["finish_reason"] == "length"
    told.tokens = (usage["prompt_tokens"], usage["completion_tokens"])
    return told


def _chat_faults(body: bytes, stream: bool) -> list[str]:
    if stream:
        for chunk in events_of(body):
            chat_client.strict(chunk)
        return [] if body.endswith(b"data: [DONE]\n\n") else ["no [DONE] at the end"]
    ChatCompletion.model_validate_json(body, strict=True)
    return []


def _body_error(said: list[Json]) -> str:
    return str(said[-1]["error"]["message"])


def _responses_ask(question: Question) -> tuple[str, Json]:
    content: list[Json] = [{"type": "input_text", "text": question.text}]
    url = f"data:image/png;base64,{PICTURE}"
    picture = [{"type": "input_image", "image_url": url, "detail": "auto"}]
    content += picture if question.shows_picture else []
    given: list[Json] = [{"type": "message", "role": "user", "content": content}]
    for turn in question.history:
        given += turn.answer["output"]
        for id_, _, text in turn.results:
            parts = [{"type": "input_text", "text": text}, *picture]
            said = {"type": "function_call_output", "call_id": id_}
            given.append({**said, "output": parts if turn.shows_picture else text})
    body: Json = {"model": MODEL, "input": given, "stream": question.stream, "store": False}
    body |= {"max_output_tokens": LIMIT, "include": ["reasoning.encrypted_content"]}
    body |= {"instructions": question.system} if question.system else {}
    tool = {"type": "function", "name": question.tool, "parameters": SCHEMA, "strict": False}
    body |= {"tools": [tool]} if question.tool else {}
    body |= {"reasoning": {"effort": "medium", "summary": "auto"}} if question.thinks else {}
    return "/v1/responses", body


def _responses_gather(events: list[Json]) -> Json:
    response: Json = events[-1]["response"]
    return response


def _responses_read(response: Json) -> Told:
    usage = response["usage"]
    told = Told(model=response["model"], tokens=(usage["input_tokens"], usage["output_tokens"]))
    for item in response["output"]:
        match item["type"]:
            case "message":
                told.text += "".join(part["text"] for part in item["content"])
            case "reasoning":
                told.thinking += "".join(part["text"] for part in item["summary"])
            case "function_call":
                told.calls.append((item["call_id"], item["name"], json.loads(item["arguments"])))
    told.ends_in_calls = bool(told.calls) and response["status"] == "completed"
    told.is_cut = response["status"] == "incomplete"
    return told


def _responses_faults(body: bytes, stream: bool) -> list[str]:
    if stream:
        responses_client.checked(body)
    else:
        responses_client.check_response(json.loads(body))
    return []


def _responses_error(said: list[Json]) -> str:
    """Read a body, the two last events of a translated stream, or the last one that a provider wrote itself."""
    last = said[-1]
    if last.get("type") == "error":
        return str(last["message"])
    if last.get("type") != "response.failed":
        return _body_error(said)
    assert (said[-2]["type"], last["response"]["status"]) == ("error", "failed")
    return str(last["response"]["error"]["message"])


def _gemini_ask(question: Question) -> tuple[str, Json]:
    parts: list[Json] = [{"text": question.text}]
    picture = [{"inlineData": {"mimeType": "image/png", "data": PICTURE}}]
    parts += picture if question.shows_picture else []
    contents: list[Json] = [{"role": "user", "parts": parts}]
    for turn in question.history:
        shown = {"parts": picture} if turn.shows_picture else {}
        results = [
            {"functionResponse": {"id": id_, "name": name, "response": {"output": text}, **shown}}
            for id_, name, text in turn.results
        ]
        contents += [turn.answer["candidates"][0]["content"], {"role": "user", "parts": results}]
    config: Json = {"maxOutputTokens": LIMIT}
    config |= {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 2048}} if question.thinks else {}
    body: Json = {"contents": contents, "generationConfig": config}
    body |= {"systemInstruction": {"parts": [{"text": question.system}]}} if question.system else {}
    declared = {"name": question.tool, "parametersJsonSchema": SCHEMA}
    body |= {"tools": [{"functionDeclarations": [declared]}]} if question.tool else {}
    action = "streamGenerateContent?alt=sse" if question.stream else "generateContent"
    return f"/v1beta/models/{MODEL}:{action}", body


def _gemini_gather(chunks: list[Json]) -> Json:
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    candidate = {**chunks[-1]["candidates"][0], "content": {"role": "model", "parts": parts}}
    return {**chunks[-1], "candidates": [candidate]}


def _gemini_read(response: Json) -> Told:
    usage = response["usageMetadata"]
    told = Told(model=response["modelVersion"])
    told.tokens = (usage["promptTokenCount"], usage["candidatesTokenCount"])
    for part in response["candidates"][0]["content"]["parts"]:
        match part:
            case {"functionCall": call}:
                told.calls.append((call["id"], call["name"], call["args"]))
            case {"thought": True, "text": text}:
                told.thinking += text
            case {"text": text}:
                told.text += text
    told.ends_in_calls = bool(told.calls) and response["candidates"][0]["finishReason"] == "STOP"
    told.is_cut = response["candidates"][0]["finishReason"] == "MAX_TOKENS"
    return told


def _gemini_faults(body: bytes, stream: bool) -> list[str]:
    checks = gemini.validator("generate-content.response")
    said = events_of(body) if stream else [json.loads(body)]
    return [problem.message[:200] for one in said for problem in checks.iter_errors(one)]


CLIENTS: Mapping[str, Client] = {
    "anthropic": Client(
        _anthropic_ask, _anthropic_gather, _anthropic_read, _anthropic_faults, _anthropic_error
    ),
    "openai-chat": Client(_chat_ask, _chat_gather, _chat_read, _chat_faults, _body_error),
    "openai-responses": Client(
        _responses_ask, _responses_gather, _responses_read, _responses_faults, _responses_error
    ),
    "gemini": Client(_gemini_ask, _gemini_gather, _gemini_read, _gemini_faults, _body_error),
    "ollama": OLLAMA,
}
"""The clients of the matrix, by their dialect."""
