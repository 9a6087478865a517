# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Nested applications: MiniStack applies the SAM transform to the root template only."""

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import engine

from local.emulator import seams


def install() -> None:
    """Transform nested templates too, with the transform of the root.

    MiniStack's nested stack looks `_parse_template` up when it runs; everything else bound it earlier and is not
    affected.
    """
    seams.private(engine, "_apply_transforms", "template provided_params previous_params")
    seams.replace(engine, "_parse_template", "template_body", _transformed)


def _transformed(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse(text: str) -> dict[str, Any]:
        template = engine._apply_transforms(original(text))
        if isinstance(template, engine._TransformFailed):
            raise engine.language_extensions.LanguageExtensionsError(
                f"the transform of a nested template failed: {template.error}"
            )
        return template  # type: ignore[no-any-return]

    return parse
