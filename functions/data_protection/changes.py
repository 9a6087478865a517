"""Changes to an account, as data: what a plan holds, people approve, and one adapter applies."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field


class Reversibility(StrEnum):
    """What undoing a change brings back."""

    REVERSIBLE = "A"
    QUOTA = "B"
    SIDE_EFFECTS = "C"
    LOSES_DATA = "D"
    ONE_WAY = "E"

    @property
    def meaning(self) -> str:
        """What the class says, as a clause for people."""
        return _MEANINGS[self]

    @property
    def undone_automatically(self) -> bool:
        """Whether a failed verification may undo the change without asking."""
        return self in {Reversibility.REVERSIBLE, Reversibility.QUOTA}

    @property
    def comes_back(self) -> bool:
        """Whether undoing restores everything that counts; what does not must be asked for by name."""
        return self not in {Reversibility.LOSES_DATA, Reversibility.ONE_WAY}


_MEANINGS: Final = {
    Reversibility.REVERSIBLE: "the inverse call restores the state before",
    Reversibility.QUOTA: "the inverse call restores the state before, but AWS limits how often",
    Reversibility.SIDE_EFFECTS: "the inverse call restores the configuration, and what it did meanwhile stays",
    Reversibility.LOSES_DATA: "at most the configuration is restored: data or history is lost",
    Reversibility.ONE_WAY: "nothing restores the state before",
}


class Call(BaseModel):
    """One call to AWS that changes something.

    Attributes:
        service: Of boto3.
        operation: Of its client, as `update_table`.
        parameters: Plain JSON.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    operation: str
    parameters: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}({json.dumps(self.parameters, sort_keys=True)})"


class Change(BaseModel):
    """One change to one resource.

    A check makes the same change from the same state: where a later look makes another one, the plan is stale.

    Attributes:
        check: Id of the check that it is to satisfy.
        title: What it does, as a sentence in the imperative.
        call: What changes it.
        inverse: What restores the state before; None where nothing can.
        reversibility: What the inverse brings back.
        before: The configuration that is replaced, without what changes by itself.
        after: What the configuration will be, in the form in which the check's mutator reads what is there.
        risk: What may break, one sentence; empty for nothing that is known.
        cost: What it costs or saves, one sentence; empty for nothing that is known.
        wait_seconds: How long to wait at most until it has settled.
        target: ARN of what the call changes, where that is another resource than the one that is judged: a bucket that
            receives logs, a key. Empty for the resource itself.
        serves: Names of what rests on the target, where that is more than the resource that is judged, in order: the
            databases of a parameter group. What comes to rest on it later is no part of the change, and must not be
            undone with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str
    title: str
    call: Call
    inverse: Call | None
    reversibility: Reversibility
    before: Any
    after: Any
    risk: str = ""
    cost: str = ""
    wait_seconds: int = Field(default=60, gt=0)
    target: str = ""
    # Left out where empty, so that plans made before it was told keep their hash.
    serves: tuple[str, ...] = Field(default=(), exclude_if=lambda serves: not serves)

    @property
    def comes_back(self) -> bool:
        """Whether a call restores everything that counts, be it that people must make it."""
        return self.inverse is not None and self.reversibility.comes_back

    @property
    def undone_automatically(self) -> bool:
        """Whether a failed verification undoes the change without asking."""
        return self.inverse is not None and self.reversibility.undone_automatically

    @property
    def exchanged(self) -> "Change":
        """The change with its call and its inverse exchanged, and the states before and after; twice, itself.

        Raises:
            CannotChange: It has no inverse.
        """
        if self.inverse is None:
            raise CannotChange(f"No call undoes this: {self.title}.")
        exchange = {"call": self.inverse, "inverse": self.call, "before": self.after, "after": self.before}
        return self.model_copy(update=exchange)


def digest(value: Any) -> str:
    """Return the SHA-256 of plain JSON, in hex; equal values have equal digests."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def projected(found: Any, shape: Any) -> Any:
    """Return what was found in the members that a shape names: AWS answers with more than it was told."""
    if isinstance(shape, Mapping) and isinstance(found, Mapping):
        return {name: projected(found.get(name), inner) for name, inner in shape.items()}
    if isinstance(shape, list) and isinstance(found, list) and len(found) == len(shape):
        return [projected(one, inner) for one, inner in zip(found, shape, strict=True)]
    return found


class CannotChange(Exception):
    """A check has no safe change for what it found; the sentence says why and what to do instead."""
