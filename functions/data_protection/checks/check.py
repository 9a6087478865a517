"""What a check is: a validator that detects, and where a fix exists, a mutator that corrects.

A check is one module of this package that names its `CHECK`; `checks.catalogue` finds it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from data_protection.changes import Change, Reversibility
from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Place, Resource, account_of
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Verdict


class Severity(StrEnum):
    """How much a failed check endangers."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Requirement(BaseModel):
    """What a profile asks of a resource for one check; each check has its own fields, with defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


R = TypeVar("R", bound=Requirement)


@dataclass(frozen=True)
class Scope:
    """What the profile has in scope in a place: what account-wide checks compare with.

    Attributes:
        resources: Expected or found, by kind and name.
        needs: What is asked of each, by the id of the check.
        spared: Returns why no change for a check may touch a resource, as a clause: somebody answers for it, or a tag
            protects it; empty where nothing keeps changes away. Raises NotRead where tags were not read. Of the
            resource that is judged, others see to that.
        standard_checks: How many checks the standard behind the profile speaks of; None where it names no number.
        protected: Returns why no change at all may touch a resource, in the same way: a tag alone.
    """

    resources: Sequence[Resource]
    needs: Mapping[Resource, Mapping[str, Requirement]]
    spared: Callable[[str, Resource], str] = lambda _check, _resource: ""
    standard_checks: int | None = None
    protected: Callable[[Resource], str] = lambda _resource: ""


@dataclass(frozen=True)
class Case(Generic[R]):
    """One resource before one check.

    Attributes:
        resource: Which.
        requirement: What is asked of it.
        snapshot: What was read, of this resource and all others.
        now: The time.
        scope: What else the profile has in scope.
    """

    resource: Resource
    requirement: R
    snapshot: Snapshot
    now: datetime
    scope: Scope

    def find(self, read: Read, of: Resource | None = None) -> Answer | None:
        """Return AWS' answer about the resource or another one; None where this was never configured.

        Reads of an account are answered about the account, whatever resource is judged by them.
        """
        return self.snapshot.find(read, of or self._default(read))

    def get(self, read: Read, of: Resource | None = None) -> Answer:
        """Return AWS' answer about the resource or another one; empty where this was never configured."""
        return self.snapshot.get(read, of or self._default(read))

    def _default(self, read: Read) -> Resource:
        return account_of(self.resource.place) if read.kind is Kind.ACCOUNT else self.resource


@dataclass(frozen=True)
class Quota:
    """How often AWS takes changes of one resource.

    Attributes:
        changes: Which count together, as `changes of a table's key`.
        most: How many are taken...
        hours: ...in so many hours.
        refusal: Code of the error by which AWS refuses one more.
    """

    changes: str
    most: int
    hours: int
    refusal: str

    def __str__(self) -> str:
        return f"AWS takes {self.most} {self.changes} in {self.hours} h"


@dataclass(frozen=True)
class Made:
    """A change that a plan has made and another one is to undo, with what else that plan was to make.

    Attributes:
        change: As the mutator has proposed it.
        planned_at: When it was planned: what has come to rest on it since is no part of it.
        served: The resources for which the plan made the very same call, its own among them, each with the changes
            that it had to make next for the same check.
        going: The changes of the plan that are undone before this one, as far as they may still stand.
    """

    change: Change
    planned_at: datetime
    served: Mapping[Resource, Sequence[Change]]
    going: Sequence[Change] = ()

    def leaves(self, resource: Resource, present: Any) -> bool:
        """Return whether a resource does not rest on the change, or not more than when that was planned for it.

        Args:
            resource: Which.
            present: What stands where the next change for it writes, in the form of its `before` and `after`.
        """
        return resource in self.served and all(
            present == one.before or (present == one.after and one in self.going) for one in self.served[resource]
        )


@dataclass(frozen=True)
class Mutator(Generic[R]):
    """Corrects what the check's validator finds.

    Attributes:
        phase: Of the standard's remediation, 1 to 4.
        reversibility: Of its usual change; a single change may be graver.
        operations: What it may call, as `dynamodb:update_table`; nothing else is applied.
        actions: IAM actions that these need.
        propose: Makes the changes, in order, from what was read; raises CannotChange where none is safe. A change
            holds the whole new configuration where AWS replaces wholes: what is there and not ours is merged in.
        present: Reads what stands now where a change writes, in the form of its `before` and `after`; by this alone is
            known whether its call was made, and whether its inverse would undo nothing but it.
        after: Ids of checks whose changes add to the resource what this one judges as well, and so must be made first.
        quota: That its changes meet; None where AWS names none.
        may_undo: Raises CannotChange where undoing a change of its later would touch more than that: what others have
            asked for since, or what must be left alone. Of the resource itself and of its target, others see to that.
        undoing_reads: What `may_undo` needs besides: of the account, of the other resources in scope, as far as these
            have checks that read it, and of those that all reads lead to. No verdict hangs on it, and it is read only
            where something is undone.
        undoing_loses: Returns what is lost where a later plan undoes a change of its, besides the protection; one
            sentence, empty for nothing. Only who asks for it by name gets such an undoing.
    """

    phase: int
    reversibility: Reversibility
    operations: frozenset[str]
    actions: frozenset[str]
    propose: Callable[[Case[R]], Sequence[Change]]
    present: Callable[[Case[R], Change], Any]
    after: frozenset[str] = frozenset()
    quota: Quota | None = None
    may_undo: Callable[[Case[R], Made], None] = lambda _case, _made: None
    undoing_reads: tuple[Read, ...] = ()
    undoing_loses: Callable[[Change], str] = lambda _change: ""


@dataclass(frozen=True, kw_only=True)
class Check(Generic[R]):
    """A kind of check.

    Attributes:
        id: As `DDB-PITR`; unique, and never given to another one.
        title: What holds where it passes.
        why: What it protects from, one or two sentences.
        severity: Of a failure.
        kind: Of the resources it judges.
        requirement: Model of what a profile may ask.
        reads: What must be read of these resources; those of an account are made once for all.
        further: What must be read of the resources that these reads lead to, and of those that they lead to in turn.
        controls: Published controls, by framework.
        cost: What meeting it costs, one sentence.
        validate: Judges; pure. Missing reads may be left to `verdicts.judged`, by letting their exceptions pass.
        names: Returns what must be read of resources that a requirement names, as an approved key: the first call
            about each; what it leads to is read by `further`, which holds these calls as well.
        beside: Ids of checks whose requirements of the same resource the mutator meets as well; what these name is
            read, too.
        others: Of these reads, those that are needed of the other resources in scope as well: whether one bucket
            receives access logs is seen from the others.
        mutator: Corrects; None where people must.
        advice: What people should do where there is no mutator, or where it refuses.
    """

    id: str
    title: str
    why: str
    severity: Severity
    kind: Kind
    requirement: type[R]
    reads: tuple[Read, ...]
    validate: Callable[[Case[R]], Verdict]
    cost: str
    advice: str
    further: tuple[Read, ...] = ()
    names: Callable[[Place, R], Iterable[tuple[Resource, Read]]] = lambda _place, _asked: ()
    beside: tuple[str, ...] = ()
    others: tuple[Read, ...] = ()
    controls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mutator: Mutator[R] | None = None

    @property
    def undoing_reads(self) -> tuple[Read, ...]:
        """What must be read besides before a change of its is undone."""
        return () if self.mutator is None else self.mutator.undoing_reads

    @property
    def runbook(self) -> str:
        """Where people read what to do about a failure, below the root of the source: a page that is made of this."""
        return f"docs/checks/{self.id}.md"
