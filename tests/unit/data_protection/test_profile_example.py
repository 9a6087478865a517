"""The profile that the documentation shows is one."""

import re

from data_protection.profiles import parse
from local.paths import ROOT


def test_example_is_a_profile() -> None:
    text = (ROOT / "docs" / "data_protection.md").read_text("utf-8")
    [example] = re.findall(r"```yaml\n(# data_protection/profiles/.*?)```", text, re.DOTALL)
    assert parse(example).name == "shop"
