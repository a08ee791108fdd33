"""One tool call while it is read."""

import re
from collections.abc import Mapping

from msgspec import Struct

from ucr import jsontext
from ucr.dialects import tool_ids
from ucr.dialects.openai_chat.arguments import Arguments
from ucr.events import ToolUse
from ucr.jsontext import JsonError

_COUNTER = re.compile(r"(?:(?:tool_)?call|tool|toolu|function|func|fc|id)?[-_]?\d{0,3}", re.IGNORECASE)
"""Ids such as `0` and `call_0`, which a provider gives again in its next answer."""

_WRAPPERS = frozenset({"multi_tool_use.parallel", "multi_tool_use_parallel", "parallel"})
"""The call by which OpenAI's models sometimes make several calls as one."""

_FUNCTIONS = "functions."


class Fragment(Struct, frozen=True, gc=False):
    """What one piece of a stream says of a call; "" and None are "nothing said"."""

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""
    is_custom: bool = False


class Call:
    """A call in the making.

    `seed` names it among all calls, for an id when the provider's own is of no use; `issued` are the ids that
    its answer has given to clients; `names` maps the provider's names of tools to the client's.
    """

    def __init__(self, seed: str, issued: set[str], names: Mapping[str, str]) -> None:
        self.id = ""
        self.name = ""
        self.arguments = Arguments()
        self.is_open = False
        self._custom_input: list[str] = []
        self.is_custom = False
        self._is_named = False
        self._seed = seed
        self._issued = issued
        self._names = names
        self._client_id: str | None = None

    def add(self, fragment: Fragment) -> None:
        """Take a fragment; the id and the name may be repeated, and may come late, the name in pieces."""
        self.id = self.id or fragment.id
        self.is_custom = self.is_custom or fragment.is_custom
        if not self.is_open and fragment.name not in ("", self.name):
            self.name += fragment.name
        if not fragment.arguments:
            return
        self._is_named = bool(self.name)
        if self.is_custom:
            self._custom_input.append(fragment.arguments)
        else:
            self.arguments.add(fragment.arguments)

    def is_followed_by(self, fragment: Fragment) -> bool:
        """True when a fragment in this call's place begins another call.

        That takes a name, and either another id or, where ids are missing, that this call has ended.
        """
        if not fragment.name:
            return False
        if fragment.id and self.id:
            return fragment.id != self.id
        return self.arguments.is_complete and (fragment.name != self.name or bool(fragment.arguments.strip()))

    def client_id(self) -> str:
        """Return the client's id of this call, from now on the same."""
        if self._client_id is None:
            id_ = "" if _COUNTER.fullmatch(self.id) else tool_ids.to_client(self.id)
            if not id_ or id_ in self._issued:
                id_ = tool_ids.mint(self._seed)
            self._issued.add(id_)
            self._client_id = id_
        return self._client_id

    @property
    def client_name(self) -> str:
        return self._names.get(self.name, self.name)

    @property
    def can_open(self) -> bool:
        """True when the block may be written live: the name is whole, the arguments are an object so far."""
        return self._is_named and self.arguments.is_object and self.name not in _WRAPPERS

    @property
    def has_ended(self) -> bool:
        """True when nothing that may still come can change the call."""
        return self._is_named and self.arguments.is_complete

    def opening(self) -> ToolUse:
        """Return the block as it opens."""
        self.is_open = True
        return ToolUse(self.client_id(), self.client_name)

    def blocks(self, *, is_cut: bool) -> tuple[ToolUse, ...]:
        """Return the whole call, or the calls that it wraps; none without a name.

        `is_cut` leaves half an object as it is: the client is told that the answer was cut off.
        """
        if not self.name:
            return ()
        return self._unwrapped() or (ToolUse(self.client_id(), self.client_name, self._input_json(is_cut)),)

    def _input_json(self, is_cut: bool) -> str:
        if self.is_custom:
            return jsontext.dumps({"input": "".join(self._custom_input)}).decode()
        text = self.arguments.text
        if is_cut and self.arguments.is_object:
            return text
        return jsontext.object_text(text + self.arguments.ending())

    def _unwrapped(self) -> tuple[ToolUse, ...]:
        if self.name not in _WRAPPERS or not self.arguments.is_complete:
            return ()
        try:
            value = jsontext.loads_text(self.arguments.text)
        except JsonError:
            return ()
        uses = value.get("tool_uses")
        blocks = [self._inner(use, number) for number, use in enumerate(uses if isinstance(uses, list) else [])]
        whole = tuple(block for block in blocks if block is not None)
        return whole if len(whole) == len(blocks) else ()

    def _inner(self, use: object, number: int) -> ToolUse | None:
        match use:
            case {"recipient_name": str(recipient), "parameters": dict(given)} if recipient.startswith(
                _FUNCTIONS
            ):
                name = recipient.removeprefix(_FUNCTIONS)
                input_json = jsontext.dumps(given).decode()
                return ToolUse(tool_ids.mint(f"{self._seed} {number}"), self._names.get(name, name), input_json)
        return None
