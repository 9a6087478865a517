"""Who calls: AWS Signature Version 4, in headers or in the query.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote

from local.rds.model.errors import ServiceError

# The embedded cloud takes an access key of twelve digits as the account. Their secret is the first in clients of
# local/endpoints.py, the second in functions.
_LOCAL_SECRETS = ("local", "test")
_ACCOUNT = re.compile(r"\d{12}")
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,]+),\s*SignedHeaders=(?P<headers>[^,]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW: Final = timedelta(minutes=15)
_SIGNATURE = "X-Amz-Signature"


@dataclass(frozen=True)
class Key:
    """An access key.

    Attributes:
        secrets: Each of them signs; none where they are unknown: then no signature is checked.
        token: Session token; None: there is none.
        expires: Seconds since the epoch; None: never.
    """

    account: str
    secrets: tuple[str, ...] = ()
    token: str | None = None
    expires: float | None = None


@dataclass(frozen=True)
class Request:
    """What a signature is about.

    Attributes:
        path: As it was sent, percent-encoded.
        query: As it was sent.
        headers: By name in lower case.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Caller:
    """Whose call it is, and to which region."""

    account: str
    region: str
    access_key: str


@dataclass(frozen=True)
class _Signed:
    access_key: str
    day: str
    region: str
    service: str
    headers: list[str]
    signature: str
    date: str
    token: str | None
    valid: timedelta
    query: str
    payload: str


class Keys:
    """Access keys, and how to find out about others."""

    def __init__(self) -> None:
        self._ask: Callable[[str], str | None] = lambda _: None
        self._keys: dict[str, Key] = {}

    def ask(self, account: Callable[[str], str | None]) -> None:
        """Ask this for the account of an unknown key: STS, which knows no secrets; its keys' signatures are taken."""
        self._ask = account

    def add(self, access_key: str, key: Key) -> None:
        """Add a key, or replace it by one that has expired, say."""
        self._keys[access_key] = key

    def find(self, access_key: str) -> Key | None:
        """Return a key; None if nobody knows it."""
        if access_key not in self._keys:
            if _ACCOUNT.fullmatch(access_key):
                return Key(access_key, _LOCAL_SECRETS)
            if (account := self._ask(access_key)) is None:
                return None
            self._keys[access_key] = Key(account)
        return self._keys[access_key]


def authenticate(request: Request, keys: Keys, now: datetime) -> Caller:
    """Return who signed a request.

    Args:
        request: What was signed.
        keys: Known keys.
        now: The machine's time, which signers use too.

    Raises:
        ServiceError: It is not signed, the key is unknown or has expired, the signature is old or does not fit.
    """
    signed = _signed(request)
    key = keys.find(signed.access_key)
    if key is None or (key.token is not None and signed.token != key.token):
        raise ServiceError("InvalidClientTokenId", 403, "The security token included in the request is invalid.")
    if key.expires is not None and now.timestamp() >= key.expires:
        raise ServiceError("ExpiredToken", 403, "The security token included in the request is expired")
    try:
        at = datetime.strptime(signed.date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _unfit(f"Date {signed.date} is not of the form YYYYMMDDTHHMMSSZ.") from None
    if not at - _SKEW <= now <= at + signed.valid:
        raise _unfit(f"Signature expired: {signed.date} is too far from {now:%Y%m%dT%H%M%SZ}.")
    if signed.service != "rds":
        raise _unfit(f"Credential should be scoped to correct service: 'rds', not '{signed.service}'.")
    if key.secrets and signed.signature not in {_signature(request, signed, secret) for secret in key.secrets}:
        raise _unfit("The request signature we calculated does not match the signature you provided.")
    return Caller(key.account, signed.region, signed.access_key)


def _unfit(message: str) -> ServiceError:
    return ServiceError("SignatureDoesNotMatch", 403, message)


def _signed(request: Request) -> _Signed:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if header := _HEADER.fullmatch(request.headers.get("authorization", "")):
        credential, headers, signature = header["credential"], header["headers"], header["signature"]
        date, token = request.headers.get("x-amz-date", ""), request.headers.get("x-amz-security-token")
        valid, rest = _SKEW, request.query
        payload = request.headers.get("x-amz-content-sha256", hashlib.sha256(request.body).hexdigest())
    elif _SIGNATURE in query:
        credential, headers, signature = query["X-Amz-Credential"], query["X-Amz-SignedHeaders"], query[_SIGNATURE]
        date, token = query["X-Amz-Date"], query.get("X-Amz-Security-Token")
        valid = timedelta(seconds=int(query["X-Amz-Expires"]))
        rest = "&".join(part for part in request.query.split("&") if not part.startswith(f"{_SIGNATURE}="))
        payload = hashlib.sha256(b"").hexdigest()
    else:
        raise ServiceError("MissingAuthenticationToken", 403, "Request is missing Authentication Token")
    try:
        access_key, day, region, service, _ = credential.split("/")
    except ValueError:
        raise ServiceError("IncompleteSignature", 400, f"Credential {credential} has not five parts.") from None
    return _Signed(access_key, day, region, service, headers.split(";"), signature, date, token, valid, rest, payload)


def _signature(request: Request, signed: _Signed, secret: str) -> str:
    query = "&".join(
        sorted(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in parse_qsl(signed.query, keep_blank_values=True)
        )
    )
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed.headers)
    path = quote(request.path, safe="/~")
    canonical = "\n".join((request.method, path, query, headers, ";".join(signed.headers), signed.payload))
    scope = f"{signed.day}/{signed.region}/{signed.service}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", signed.date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key.hex()
