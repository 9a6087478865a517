"""samconfig.toml: what differs between environments. SAM CLI reads the same file."""

import tomllib
from dataclasses import dataclass

from local.errors import EnvironmentUnknown
from local.paths import ROOT


@dataclass(frozen=True)
class Environment:
    """One environment.

    Attributes:
        stack: Name of its root stack.
        region: Where it is deployed.
        parameters: What it gives the root template.
    """

    stack: str
    region: str
    parameters: dict[str, str]


def environment(name: str) -> Environment:
    """Return an environment by its name.

    Raises:
        EnvironmentUnknown: samconfig.toml has none of that name; the sentence lists those it has.
    """
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    if name not in config:
        known = ", ".join(sorted(set(config) - {"version"}))
        raise EnvironmentUnknown(f"samconfig.toml has no environment '{name}': it has {known}.")
    general = config[name]["global"]["parameters"]
    given = config[name].get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    pairs = given.split() if isinstance(given, str) else given
    return Environment(
        stack=general["stack_name"],
        region=general["region"],
        parameters={key: value.strip('"') for key, _, value in (pair.partition("=") for pair in pairs)},
    )
