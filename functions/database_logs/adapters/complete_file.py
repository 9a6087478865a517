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

from database_logs.adapters.rds import meaning
from database_logs.errors import AccessRefused, DeliveryShort

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_rds import RDSClient

_CHUNK: Final = 1 << 20
_TIMEOUT: Final = 60  # seconds without a byte
_GZIP: Final = 16 + zlib.MAX_WBITS


class CompleteFiles:
    """Downloads files of one account in one region.

    Args:
        session: Whose credentials sign.
        rds: Whose endpoint is asked.
    """

    IAM: ClassVar = frozenset({"rds:DownloadCompleteDBLogFile"})

    def __init__(self, session: "boto3.Session", rds: "RDSClient") -> None:
        self._session = session
        self._endpoint = rds.meta.endpoint_url
        self._region = rds.meta.region_name

    def stream(self, instance_id: str, file: str) -> Iterator[bytes]:
        """Yield the bytes of a file as it is when asked for; a compressed one's unpacked.

        Raises:
            InstanceGone, InstancePaused, FileGone, ApiThrottled, AccessRefused: As RdsApi.
            DeliveryShort: The connection was lost.
        """
        chunks = self._chunks(f"/v13/downloadCompleteLogFile/{quote(instance_id)}/{quote(file)}")
        return _unpacked(chunks) if file.endswith(".gz") else chunks

    def _chunks(self, path: str) -> Iterator[bytes]:
        request = AWSRequest("GET", f"{self._endpoint}{path}")
        credentials = self._session.get_credentials()
        if credentials is None:
            raise AccessRefused("The function has no credentials.")
        SigV4Auth(credentials.get_frozen_credentials(), "rds", self._region).add_auth(request)
        place = urlsplit(self._endpoint)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.netloc, timeout=_TIMEOUT)
        try:
            try:
                connection.request("GET", path, headers=dict(request.headers.items()))
                answer = connection.getresponse()
                if answer.status != http.client.OK:
                    raise _refused(answer.status, answer.read())
                while chunk := answer.read(_CHUNK):
                    yield chunk
            except (http.client.HTTPException, OSError) as error:
                raise DeliveryShort(f"The connection was lost while {path} was read: {error!r}.") from error
        finally:
            connection.close()


def _refused(status: int, body: bytes) -> Exception:
    try:
        error = ET.fromstring(body).find("{*}Error")  # noqa: S314 - of the service itself
    except ET.ParseError:
        error = None
    code = error.findtext("{*}Code", "") if error is not None else ""
    message = error.findtext("{*}Message", "") if error is not None else ""
    return meaning(code, message) or DeliveryShort(f"RDS answered {status} {code}: {message}")


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    for chunk in chunks:
        data = chunk
        while data:
            if plain := unpacker.decompress(data, _CHUNK):
                yield plain
            data = unpacker.unconsumed_tail
    if rest := unpacker.flush():
        yield rest
    if not unpacker.eof:
        raise DeliveryShort("A compressed file ended before its archive does.")
