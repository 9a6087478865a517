"""The API on a loopback port: `python -m local.rds.server`, or RdsServer in the process of a test."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from socket import SHUT_RDWR
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIEnvironment

from pydantic import TypeAdapter, ValidationError
from werkzeug.datastructures import Headers
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from local.rds import protocol
from local.rds.control import Control
from local.rds.model.actions import ACTIONS, CompleteFile
from local.rds.model.errors import ServiceError
from local.rds.model.estates import COMPLETE
from local.rds.model.world import Answer, ConnectionLost, World
from local.rds.signatures import Caller, Keys, Request, authenticate

_REST = "/v13/downloadCompleteLogFile/"
_CONTROL = "/_rds/"
_POLL_SECONDS = 0.02
_CHUNK = 256 * 1024
_ANY = TypeAdapter(Any)


class RdsServer:
    """The API of a world, on a free loopback port.

    Attributes:
        control: What can be done to the world.
    """

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        self.keys = Keys()
        self.control = Control(world, self.keys)
        self._server = make_server("127.0.0.1", port, self._application, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True, name="rds"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """AWS_ENDPOINT_URL_RDS."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = HttpRequest(environ)
        request_id = str(uuid.uuid4())
        try:
            if request.path.startswith(_CONTROL):
                response = self._command(request)
            else:
                response = self._answer(request, request_id)
        except ServiceError as error:
            body = protocol.write_error(error.code, error.message, error.status, request_id)
            response = _xml(body, request_id, error.status)
        except ConnectionLost:
            _disconnect(environ)
            response = Response(status=500)
        return response(environ, start_response)

    def _command(self, request: HttpRequest) -> Response:
        name = request.path.removeprefix(_CONTROL)
        command: Callable[..., Any] | None = None if name.startswith("_") else getattr(self.control, name, None)
        if command is None:
            raise ServiceError("InvalidAction", 404, f"There is no command {name}: see local/rds/control.py.")
        try:
            result = command(**json.loads(request.get_data() or b"{}"))
        except (TypeError, ValidationError) as error:
            raise ServiceError("InvalidParameterValue", 400, f"{name}: {error}") from error
        return Response(_ANY.dump_json(result), mimetype="application/json")

    def _answer(self, request: HttpRequest, request_id: str) -> Response:
        raw = str(request.environ["RAW_URI"])
        path, _, query = raw.partition("?")
        body = request.get_data(cache=True, parse_form_data=False)
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = Request(request.method, path, query, headers, body)
        caller = authenticate(signed, self.keys, datetime.now(UTC))
        if path.startswith(_REST) and request.method == "GET":
            instance, _, name = unquote(path.removeprefix(_REST)).partition("/")
            parameters = {"DBInstanceIdentifier": instance, "LogFileName": name}
            return self._stream(self._call(caller, COMPLETE, parameters), request.environ, request_id)
        form = dict(HttpRequest.from_values(data=body, content_type=request.content_type, method="POST").form)
        action = form.get("Action", "")
        if action not in ACTIONS:
            known = "is not emulated" if action in protocol.actions() else "is not known"
            raise ServiceError("InvalidAction", 400, f"The action {action} {known}.")
        try:
            parameters = protocol.parse_input(action, form)
        except KeyError as missing:
            raise ServiceError("MissingParameter", 400, f"{missing} is missing in {action}.") from None
        except ValueError as error:
            raise ServiceError("MalformedInput", 400, f"{action}: {error}") from error
        answer = self._call(caller, action, parameters)
        if isinstance(answer.result, CompleteFile):
            raise TypeError(f"{action} is answered with a file.")
        return _xml(protocol.write_result(action, answer.result, request_id), request_id)

    def _call(self, caller: Caller, action: str, parameters: dict[str, Any]) -> Answer:
        answer = self.world.call(caller.account, caller.region, action, parameters)
        if answer.seconds:
            time.sleep(answer.seconds)
        return answer

    def _stream(self, answer: Answer, environ: WSGIEnvironment, request_id: str) -> Response:
        file = answer.result
        if not isinstance(file, CompleteFile):
            raise TypeError("A complete file is answered with members.")

        def chunks() -> Iterator[bytes]:
            for start in range(0, file.size, _CHUNK):
                end = min(start + _CHUNK, file.size)
                if answer.disconnect is not None and end > answer.disconnect:
                    yield self._read(file, start, max(start, answer.disconnect))
                    _disconnect(environ)
                    return
                yield self._read(file, start, end)

        # Without Content-Length, as far as is known: a caller compares what arrives with the listed size.
        return Response(chunks(), headers=Headers({"x-amzn-RequestId": request_id}), mimetype="text/plain")

    def _read(self, file: CompleteFile, start: int, end: int) -> bytes:
        if file.packed is not None:
            return file.packed[start:end]
        with self.world.lock:
            return file.generation.read(start, end, self.world.now())


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _xml(body: bytes, request_id: str, status: int = 200) -> Response:
    return Response(body, status, Headers({"x-amzn-RequestId": request_id}), content_type="text/xml")


def _disconnect(environ: WSGIEnvironment) -> None:
    # The server writes on into nothing, and forgets the connection when it notices.
    environ["werkzeug.socket"].shutdown(SHUT_RDWR)
