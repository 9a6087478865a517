"""The search engine: its bulk endpoint, and OpenObserve's search."""

import base64
import json
from typing import TYPE_CHECKING, ClassVar, Final

import urllib3
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from urllib3.exceptions import HTTPError

from database_logs.contracts import StreamSpan
from database_logs.errors import SearchSecretInvalid, SearchUnavailable
from database_logs.search.answers import NO_ANSWER, Answer

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# A bulk request of OpenObserve answers when all of it is written.
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=20)

# 400 and 413 speak of documents; everything else of the engine or of who may write to it.
_ANSWERED: Final = (200, 400, 413)
# Of OpenObserve's error codes: SearchStreamNotFound.
_STREAM_UNKNOWN: Final = 20_002


class SearchUser(BaseModel):
    """Who search knows the sender as."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    username: str
    password: SecretStr

    @property
    def authorization(self) -> str:
        """Header of HTTP Basic (RFC 7617)."""
        pair = f"{self.username}:{self.password.get_secret_value()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


class SearchSecret:
    """The secret with the user of the search engine: JSON with `username` and `password`."""

    IAM: ClassVar = frozenset({"secretsmanager:GetSecretValue", "kms:Decrypt"})

    def __init__(self, secrets: "SecretsManagerClient", arn: str) -> None:
        self._secrets = secrets
        self._arn = arn

    def load(self) -> SearchUser:
        """Return the user; it is asked for anew each time, since secrets rotate.

        Raises:
            SearchSecretInvalid: The secret holds something else.
        """
        text = self._secrets.get_secret_value(SecretId=self._arn).get("SecretString", "")
        try:
            return SearchUser.model_validate(json.loads(text))
        except (ValidationError, ValueError):
            # Without the cause, which quotes the secret.
            raise SearchSecretInvalid(
                f"The secret {self._arn} is not of the form "
                '{"username": "...", "password": "..."}: put the user of the search engine there.'
            ) from None


class SearchEngine:
    """Posts to an engine."""

    IAM: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, url: str, user: SearchUser) -> None:
        """Remember where and as whom to post.

        Args:
            url: What stands before `/_bulk`: `https://host/api/<organisation>` of OpenObserve.
            user: Of the engine.
        """
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)
        self._url = url.rstrip("/")
        self._headers = {"Authorization": user.authorization}
        self.failures = 0

    def post(self, body: bytes) -> Answer:
        """Send a bulk request, gzip; a connection that fails is an answer as well, and `failures` counts those.

        So it does for refusals that are not about the documents.
        """
        answer = self._post("_bulk", body, {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"})
        self.failures += answer.status not in _ANSWERED
        return answer

    def count(self, span: StreamSpan) -> int:
        """Return how many documents of a span OpenObserve has, each once however often it is stored.

        Source: OpenObserve documentation, "Search API"; the end of the time is exclusive, and a stream that never had
        anything is not known.

        Raises:
            SearchUnavailable: It does not say.
        """
        ids = f"event_id >= '{span.first_id}' AND event_id <= '{span.last_id}'"
        query = {
            # A contract limits the characters of both.
            "sql": f'SELECT count(DISTINCT event_id) AS found FROM "{span.stream}" WHERE {ids}',  # noqa: S608
            "start_time": span.first_time,
            "end_time": span.last_time + 1,
            "from": 0,
            "size": 1,
        }
        body = json.dumps({"query": query}).encode()
        answer = self._post("_search", body, {"Content-Type": "application/json"})
        try:
            said = json.loads(answer.body)
            return 0 if said.get("code") == _STREAM_UNKNOWN else int(said["hits"][0]["found"])
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise SearchUnavailable(
                f"Search does not say what it has of stream {span.stream}: {answer.told}. The message comes again."
            ) from error

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        try:
            response = self._pool.request("POST", f"{self._url}/{path}", body=body, headers=self._headers | headers)
        except HTTPError as error:
            return Answer(NO_ANSWER, str(error).encode())
        seconds = response.headers.get("Retry-After", "")
        return Answer(response.status, response.data, float(seconds) if seconds.isdigit() else None)
