"""The public access block of an account, which MiniStack's S3 Control does not have.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html
"""

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core.responses import AccountScopedDict

from local.emulator import seams

_PATH = "/v20180820/configuration/publicAccessBlock"
_XMLNS = "http://awss3control.amazonaws.com/doc/2018-08-20/"
_FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_ACTIONS = {
    "GET": "s3:GetAccountPublicAccessBlock",
    "PUT": "s3:PutAccountPublicAccessBlock",
    "DELETE": "s3:PutAccountPublicAccessBlock",
}

_blocks = AccountScopedDict()


def install() -> None:
    """Answer for the block of an account, and forget it when the server is reset."""
    seams.replace(
        app, "_handle_s3_control_request", "path method body query_params request_id headers", _with_account_block
    )
    seams.replace(app, "_reset_all_state", "", _forgetting)


def _forgetting(original: Callable[[], None]) -> Callable[[], None]:
    def reset() -> None:
        original()
        _blocks.clear()

    return reset


def _with_account_block(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(path: str, method: str, body: bytes, *rest: Any) -> Any:
        if path != _PATH or method not in _ACTIONS:
            return await original(path, method, body, *rest)
        query, request_id, headers = rest
        if app.AUTH:
            denied = app._enforce_data_plane("s3", _ACTIONS[method], headers, query, request_id, resource_arn="*")  # noqa: SLF001 - MiniStack's own check
            if denied:
                return denied
        status, answer = _answer(method, body)
        return status, {"Content-Type": "application/xml", "x-amzn-requestid": request_id}, answer

    return handle


def _answer(method: str, body: bytes) -> tuple[int, bytes]:
    match method:
        case "PUT":
            given = {element.tag.rpartition("}")[2]: element.text for element in ET.fromstring(body).iter()}  # noqa: S314 - of this machine
            _blocks["block"] = {flag: given.get(flag) or "false" for flag in _FLAGS}
            return 200, b""
        case "DELETE":
            _blocks.pop("block", None)
            return 204, b""
    block = _blocks.get("block")
    if block is None:
        error = (
            "<ErrorResponse><Error><Code>NoSuchPublicAccessBlockConfiguration</Code>"
            "<Message>The public access block configuration was not found</Message></Error></ErrorResponse>"
        )
        return 404, error.encode()
    flags = "".join(f"<{flag}>{value}</{flag}>" for flag, value in block.items())
    return 200, f'<PublicAccessBlockConfiguration xmlns="{_XMLNS}">{flags}</PublicAccessBlockConfiguration>'.encode()
