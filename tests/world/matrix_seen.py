"""What a provider of each dialect reads in the requests that reach it."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """A request in no dialect's words. Calls are by id: name and arguments; results by id: the text."""

    system: str = ""
    said: list[str] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    calls: dict[str, tuple[str, Json]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    thinks: bool = False


def _texts(content: Any, kinds: tuple[str, ...] = ("text", "input_text", "output_text")) -> str:
    if not isinstance(content, list):
        return str(content or "")
    return " ".join(str(part["text"]) for part in content if part.get("type", "text") in kinds)


def _data_urls(content: Any) -> list[bytes]:
    """Return the images that stand in the parts of a message as data URLs."""
    urls = (
        [part.get("image_url") for part in content if isinstance(part, dict)]
        if isinstance(content, list)
        else []
    )
    texts = [url["url"] if isinstance(url, dict) else url for url in urls if url]
    return [base64.b64decode(text.partition("base64,")[2], validate=True) for text in texts]


def _inline_images(content: Any) -> list[bytes]:
    """Return the images among the blocks of a message or of a result."""
    blocks = content if isinstance(content, list) else []
    images = [block["source"]["data"] for block in blocks if block["type"] == "image"]
    return [base64.b64decode(data, validate=True) for data in images]


def anthropic_seen(body: Json) -> Seen:
    seen = Seen(_texts(body.get("system")), tools=[tool["name"] for tool in body.get("tools", ())])
    seen.thinks = body.get("thinking", {}).get("type") in ("enabled", "adaptive")
    for turn in body["messages"]:
        given = turn["content"]
        for block in given if isinstance(given, list) else [{"type": "text", "text": given}]:
            match block["type"]:
                case "text" if turn["role"] == "user":
                    seen.said.append(block["text"])
                case "image":
                    seen.images.append(base64.b64decode(block["source"]["data"], validate=True))
                case "tool_use":
                    seen.calls[block["id"]] = (block["name"], block["input"])
                case "tool_result":
                    seen.results[block["tool_use_id"]] = _texts(block["content"])
                    seen.images += _inline_images(block["content"])
    return seen


def chat_seen(body: Json) -> Seen:
    seen = Seen(tools=[tool["function"]["name"] for tool in body.get("tools", ())])
    seen.thinks = "reasoning_effort" in body or body.get("thinking", {}).get("type") == "enabled"
    for message in body["messages"]:
        content = message.get("content")
        seen.images += _data_urls(content)
        match message["role"]:
            case "system" | "developer":
                seen.system += _texts(content)
            case "user":
                seen.said.append(_texts(content))
            case "tool":
                seen.results[message["tool_call_id"]] = _texts(content)
        for call in message.get("tool_calls") or ():
            function = call["function"]
            seen.calls[call["id"]] = (function["name"], json.loads(function["arguments"]))
    return seen


def responses_seen(body: Json) -> Seen:
    seen = Seen(body.get("instructions", ""), tools=[tool["name"] for tool in body.get("tools", ())])
    seen.thinks = bool(body.get("reasoning", {}).get("effort"))
    for item in body["input"]:
        match item.get("type", "message"):
            case "message" if item["role"] == "user":
                seen.said.append(_texts(item["content"]))
                seen.images += _data_urls(item["content"])
            case "function_call":
                seen.calls[item["call_id"]] = (item["name"], json.loads(item["arguments"]))
            case "function_call_output":
                seen.results[item["call_id"]] = _texts(item["output"])
                seen.images += _data_urls(item["output"])
    return seen


def gemini_seen(body: Json) -> Seen:
    declared = [one for tool in body.get("tools", ()) for one in tool["functionDeclarations"]]
    seen = Seen(_texts(body.get("systemInstruction", {}).get("parts")), tools=[one["name"] for one in declared])
    seen.thinks = bool(body.get("generationConfig", {}).get("thinkingConfig", {}).get("includeThoughts"))
    for content in body["contents"]:
        for part in content["parts"]:
            match part:
                case {"functionCall": call}:
                    seen.calls[call["id"]] = (call["name"], call.get("args", {}))
                case {"functionResponse": answer}:
                    seen.results[answer["id"]] = answer["response"]["output"]
                    blobs = [one["inlineData"]["data"] for one in answer.get("parts", ())]
                    seen.images += [base64.b64decode(data, validate=True) for data in blobs]
                case {"inlineData": blob}:
                    seen.images.append(base64.b64decode(blob["data"], validate=True))
                case {"text": text} if content["role"] == "user":
                    seen.said.append(text)
    return seen


def bedrock_seen(body: Json) -> Seen:
    listed = body.get("toolConfig", {}).get("tools", ())
    tools = [tool["toolSpec"]["name"] for tool in listed if "toolSpec" in tool]
    seen = Seen(_texts(body.get("system")), tools=tools)
    seen.thinks = body.get("additionalModelRequestFields", {}).get("thinking", {}).get("type") == "enabled"
    for message in body["messages"]:
        for block in message["content"]:
            match block:
                case {"toolUse": use}:
                    seen.calls[use["toolUseId"]] = (use["name"], use["input"])
                case {"toolResult": answer}:
                    seen.results[answer["toolUseId"]] = _texts(
                        [one for one in answer["content"] if "text" in one]
                    )
                    images = [one["image"]["source"]["bytes"] for one in answer["content"] if "image" in one]
                    seen.images += [base64.b64decode(data, validate=True) for data in images]
                case {"image": image}:
                    seen.images.append(base64.b64decode(image["source"]["bytes"], validate=True))
                case {"text": text} if message["role"] == "user":
                    seen.said.append(text)
    return seen


def ollama_seen(body: Json) -> Seen:
    """Read the messages: those of chat completions but for the arguments, the images and the wish to think."""
    messages = [
        {**message, "tool_calls": [_as_chat_call(call) for call in message.get("tool_calls", ())]}
        for message in body["messages"]
    ]
    seen = chat_seen({**body, "messages": messages})
    images = [image for message in messages for image in message.get("images", ())]
    seen.images = [base64.b64decode(image, validate=True) for image in images]
    seen.thinks = bool(body.get("think"))
    return seen


def _as_chat_call(call: Json) -> Json:
    return {**call, "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
