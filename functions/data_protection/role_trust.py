"""Who may have a role, by its trust policy."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from data_protection.conditions import demanded, narrows
from data_protection.policies import Statement, statements

_ACCOUNT: Final = re.compile(r"(?:arn:[^:]+:(?:iam|sts)::)?(\d{12})(?::|$)")
# What ties somebody of another account to whom is meant:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
_BINDING: Final = (
    "sts:externalid",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/*",
)
_OIDC: Final = re.compile(r".*:oidc-provider/(.+)|(cognito-identity\.amazonaws\.com|accounts\.google\.com)")
_LOGIN: Final = re.compile(r"(www\.amazon\.com|graph\.facebook\.com)")
# Tokens of one pool have its id as their audience; those of other issuers have the same for all who ask there.
_BOUND_BY_AUDIENCE: Final = "cognito-identity.amazonaws.com"
# A subject says whom after a word or two, as `repo:organization/...` and `system:serviceaccount:space:name`.
_SUBJECT: Final = re.compile(r"[^*?]+|[^*?]*:[^*?:/]+.*")


@dataclass(frozen=True)
class Trust:
    """What is wrong with who may have a role, and what is doubtful; each continues a sentence."""

    faults: tuple[str, ...]
    doubts: tuple[str, ...]


def judge(document: str | Mapping[str, Any], account: str) -> Trust:
    """Return what speaks against a role's trust policy.

    Args:
        document: The policy.
        account: The role's.
    """
    allowing = [one for one in statements(document) if one.allows]
    return Trust(
        faults=tuple(dict.fromkeys(fault for one in allowing for fault in _faults(one))),
        doubts=tuple(dict.fromkeys(doubt for one in allowing for doubt in _doubts(one, account))),
    )


def _faults(statement: Statement) -> Iterator[str]:
    if "NotPrincipal" in statement.given:
        yield "its trust policy lets everybody have it but whom it names"
    if statement.is_public and not narrows(statement.conditions, *_BINDING):
        yield "its trust policy lets everybody have it"
    for issuer in _issuers((statement.principals or {}).get("Federated", ())):
        if not _says_who(statement, issuer):
            yield f"its trust policy lets everybody have it for whom {issuer} vouches, as it names no subject"


def _doubts(statement: Statement, account: str) -> Iterator[str]:
    bound = narrows(statement.conditions, *_BINDING)
    if statement.is_public and bound:
        yield "a condition of its trust policy alone decides who may have it"
    for who in (statement.principals or {}).get("AWS", ()):
        found = _ACCOUNT.match(who)
        if found and found[1] != account and not bound:
            yield f"its trust policy lets {who} of another account have it without an external id or the like"


def _issuers(federated: Iterable[str]) -> Iterator[str]:
    """Yield the issuers of web identities; of SAML, the provider says itself who may have which role."""
    for provider in federated:
        if found := _OIDC.fullmatch(provider) or _LOGIN.fullmatch(provider):
            yield next(group for group in found.groups() if group)


def _says_who(statement: Statement, issuer: str) -> bool:
    host = issuer.lower()
    if host == _BOUND_BY_AUDIENCE and narrows(statement.conditions, f"{host}:aud"):
        return True
    subjects = demanded(statement.conditions, *(f"{host}:{claim}" for claim in ("sub", "user_id", "id")))
    return any(all(map(_SUBJECT.fullmatch, values)) for values in subjects)
