"""A target of the file, taken apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """A target of the file, "provider" or "provider/model", taken apart; `model` None is the provider's own."""

    provider: str
    model: str | None = None

    def __str__(self) -> str:
        return self.provider if self.model is None else f"{self.provider}/{self.model}"


Targets = tuple[ModelTarget, ...]
