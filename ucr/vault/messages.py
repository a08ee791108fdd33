"""What is said to the keeper of the vault, and what it says. Pure data that travels between processes."""

from dataclasses import dataclass

from actors.ref import Question


@dataclass(frozen=True, slots=True)
class States:
    """What was found under the keys that were asked for, in their order; None where there is nothing."""

    found: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class FindStates(Question[States]):
    """Ask for what is kept under some keys. What is found is kept for longer."""

    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeepState:
    """Keep the state of a tool call under its key."""

    key: bytes
    state: bytes


VaultMessage = FindStates | KeepState

VAULT_MESSAGES: tuple[type, ...] = (FindStates, KeepState, States)
