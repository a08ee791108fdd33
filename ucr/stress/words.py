"""What is asked and answered in a simulation: the tag of a prompt decides over every word of its answer. Pure.

A provider finds the tag in whatever dialect it is asked, and so nobody needs to be told who asked: an answer that
belongs to another prompt, or in which a word is missing, is known by its first wrong character.
"""

import re
from functools import lru_cache
from zlib import crc32

_TAG = re.compile(rb"<<([a-z0-9.]+)>>")
MOST_WORDS = 24
INPUT_TOKENS = 12
MOST_TOKENS = 64
"""What a request allows as output; every word is one token."""


def prompt_of(tag: str) -> str:
    """Return what a client says."""
    return f"Say it: <<{tag}>>"


def tag_in(body: bytes) -> str | None:
    """Return the tag of the last prompt in the body of a request."""
    found = _TAG.findall(body)
    return found[-1].decode() if found else None


@lru_cache(maxsize=4096)
def words_of(tag: str) -> tuple[str, ...]:
    """Return the answer, word by word: between 1 and `MOST_WORDS` of them."""
    count = 1 + crc32(tag.encode()) % MOST_WORDS
    return tuple(f"{tag}:{number}é " for number in range(count))


def text_of(tag: str) -> str:
    """Return the whole answer."""
    return "".join(words_of(tag))
