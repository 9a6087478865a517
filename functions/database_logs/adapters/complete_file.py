"""A whole log file as a stream: DownloadCompleteDBLogFile, a REST path of RDS that no SDK has.

Amazon RDS user guide, "RESTReference": GET /v13/downloadCompleteLogFile/{instance}/{file}, signed as any request. It
has neither ranges nor a length; a connection that is lost shows by the end of the chunks.
"""

import http.client
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from database_logs.adapters.rds import Calls, meaning
from database_logs.errors import AccessRefused, ApiUnavailable, DeliveryShort

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_rds import RDSClient

    from database_logs.adapters.budget import Budget

_CHUNK: Final = 1 << 20
_TIMEOUT: Final = 60  # seconds without a byte
_GZIP: Final = 16 + zlib.MAX_WBITS


class CompleteFiles:
    """Downloads files of one account in one region.

    Args:
        session: Whose credentials sign.
        rds: Whose endpoint is asked.
        budget: Whether RDS counts these calls with the others is not known, so they are paid for alike.
        calls: Counted up.
    """

    IAM: ClassVar = frozenset({"rds:DownloadCompleteDBLogFile"})

    def __init__(self, session: "boto3.Session", rds: "RDSClient", budget: "Budget", calls: Calls) -> None:
        self._session = session
        self._budget = budget
        self._calls = calls
        self._endpoint = rds.meta.endpoint_url
        self._region = rds.meta.region_name

    def stream(self, instance_id: str, file: str) -> Iterator[bytes]:
        """Yield the bytes of a file as it is when asked for; a compressed one's unpacked.

        Raises:
            InstanceGone, InstancePaused, FileGone, ApiThrottled, AccessRefused: As RdsApi.
            DeliveryShort: The connection was lost.
        """
        chunks = self._chunks(f"/v13/downloadCompleteLogFile/{quote(instance_id)}/{quote(file)}")
        return unpacked(chunks) if file.endswith(".gz") else chunks

    def _chunks(self, path: str) -> Iterator[bytes]:
        connection, answer = self._budget.pay(lambda: self._asked(path))
        try:
            while chunk := answer.read(_CHUNK):
                yield chunk
        except (http.client.HTTPException, OSError) as error:
            raise _lost(path, error) from error
        finally:
            connection.close()

    def _asked(self, path: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Return the answer once it has begun to arrive, and the connection, which is the caller's to close."""
        request = AWSRequest("GET", f"{self._endpoint}{path}")
        SigV4Auth(self._credentials(), "rds", self._region).add_auth(request)
        place = urlsplit(self._endpoint)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.netloc, timeout=_TIMEOUT)
        try:
            connection.request("GET", path, headers=dict(request.headers.items()))
            answer = connection.getresponse()
            body = b"" if answer.status == http.client.OK else answer.read()
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            raise _lost(path, error) from error
        if answer.status != http.client.OK:
            connection.close()
            raise self._refused(answer.status, body)
        return connection, answer

    def _credentials(self) -> ReadOnlyCredentials:
        """Return what signs; a role is assumed again before its credentials run out, and may be refused by then."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise AccessRefused("The function has no credentials.")
        try:
            return credentials.get_frozen_credentials()
        except ClientError as error:
            meant = meaning(error.response["Error"]["Code"], error.response["Error"].get("Message", ""))
            self._calls.note(meant)
            raise meant or ApiUnavailable(f"STS does not renew the credentials of a role: {error}") from error

    def _refused(self, status: int, body: bytes) -> Exception:
        code, message = _error_of(body)
        meant = meaning(code, message)
        self._calls.note(meant)
        return meant or DeliveryShort(f"RDS answered {status} {code}: {message}")


def _lost(path: str, error: Exception) -> DeliveryShort:
    return DeliveryShort(f"The connection was lost while {path} was read: {error!r}.")


def _error_of(body: bytes) -> tuple[str, str]:
    """Return code and message of an error; empty where it has none."""
    try:
        error = ET.fromstring(body).find("{*}Error")  # noqa: S314 - of the service itself
    except ET.ParseError:
        error = None
    if error is None:
        return "", ""
    return error.findtext("{*}Code", ""), error.findtext("{*}Message", "")


def unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what an archive holds, a megabyte at most at a time, however small it is packed.

    Raises:
        DeliveryShort: The archive does not end.
    """
    unpacker = zlib.decompressobj(_GZIP)
    for chunk in chunks:
        data = chunk
        while data:
            if unpacker.eof:
                # gzip archives may follow each other in one file (RFC 1952, 2.2); zeros may fill the last block.
                if not (data := data.lstrip(b"\0")):
                    break
                unpacker = zlib.decompressobj(_GZIP)
            if plain := unpacker.decompress(data, _CHUNK):
                yield plain
            data = unpacker.unconsumed_tail or unpacker.unused_data
    if rest := unpacker.flush():
        yield rest
    if not unpacker.eof:
        raise DeliveryShort("A compressed file ended before its archive does.")
