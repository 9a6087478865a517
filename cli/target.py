"""Which cloud a command talks to: the embedded one, or AWS with the caller's own credentials."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

from cli import machines
from local import samconfig
from local.errors import UserElsewhere

LOCAL: Final = "local"
# The output of the stack that names the table of plans, approvals and steps.
REMEDIATIONS: Final = "ProtectionRemediationsTableName"


class NotDeployed(LookupError):
    """The application, or a part of it, is not deployed there."""


@dataclass(frozen=True)
class Target:
    """One deployed Gatehouse.

    Attributes:
        environment: `local`, `dev`, `prod`.
        client: Makes a boto3 client of a service.
        cloud: Name of the embedded cloud; None on AWS.
        user: Of the embedded cloud, who acts there; None where nobody was named, and on AWS.
    """

    environment: str
    client: Callable[[str], Any]
    cloud: str | None = None
    user: str | None = None

    @classmethod
    def of(cls, environment: str, cloud: str = "dev", user: str | None = None) -> "Target":
        """Return the target of an environment's name; on AWS, in the region that samconfig.toml gives it.

        Args:
            environment: Its name.
            cloud: Name of the embedded cloud.
            user: Of the embedded cloud, who acts there; without, whoever the caller is there, mostly root.

        Raises:
            ServerNotRunning: The embedded cloud is asked for and does not run.
            UserElsewhere: A user is asked for on AWS, where credentials say who acts.
            EnvironmentUnknown: samconfig.toml has no such environment.
        """
        if environment == LOCAL:
            from local.supervisor import EmbeddedCloud  # noqa: PLC0415 - heavy
            from local.users import acting  # noqa: PLC0415 - heavy

            return cls(environment, acting(EmbeddedCloud.get(cloud), user), cloud, user)
        if user:
            raise UserElsewhere(
                f"`--as {user}` is for --env local; in environment '{environment}' your credentials say who you are. "
                "Set AWS_PROFILE to act as somebody else."
            )
        region = samconfig.environment(environment).region
        import boto3  # noqa: PLC0415 - heavy

        # boto3 overloads `client` by the literal name of each service.
        return cls(environment, cast("Callable[[str], Any]", boto3.Session(region_name=region).client))

    @property
    def prefix(self) -> str:
        """What the names of its functions and state machines begin with."""
        return f"gatehouse-{self.environment}"

    @property
    def stack(self) -> str:
        """Name of the root stack."""
        if self.cloud:
            from local.deploy import STACK  # noqa: PLC0415 - heavy

            return STACK
        return samconfig.environment(self.environment).stack

    @property
    def options(self) -> str:
        """The options that lead a command back here."""
        return f"--env {self.environment}{self.cloud_option}"

    @property
    def acting_options(self) -> str:
        """The options that lead a command back here, as the same user."""
        return f"{self.options} --as {self.user}" if self.user else self.options

    @property
    def cloud_option(self) -> str:
        """The option that names the embedded cloud, with a space before it; empty for the usual one."""
        return f" --cloud {self.cloud}" if self.cloud and self.cloud != "dev" else ""

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of the root stack.

        Raises:
            NotDeployed: There is no such stack.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy

        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise NotDeployed(f"There is no stack '{self.stack}'. {self._how_to_deploy}") from None
        return {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", [])}

    def output(self, key: str) -> str:
        """Return one output of the root stack.

        Raises:
            NotDeployed: The stack or the output does not exist.
        """
        try:
            return self.outputs[key]
        except KeyError:
            known = ", ".join(sorted(self.outputs)) or "none"
            raise NotDeployed(
                f"Stack '{self.stack}' has no output '{key}' (it has: {known}). {self._how_to_deploy}"
            ) from None

    def short_name(self, machine: str) -> str:
        """Return the name of a state machine as the command line takes it."""
        return machine.removeprefix(f"{self.prefix}-")

    @cached_property
    def machine_arns(self) -> dict[str, str]:
        """ARNs of all state machines that are deployed, by their short names."""
        pages = self.client("stepfunctions").get_paginator("list_state_machines").paginate()
        return {
            self.short_name(each["name"]): str(each["stateMachineArn"])
            for page in pages
            for each in page["stateMachines"]
            if each["name"].startswith(f"{self.prefix}-")
        }

    def machine_arn(self, machine: str) -> str:
        """Return the ARN of a state machine by its short name, such as `process_objects`.

        Raises:
            NotDeployed: There is none of that name; the sentence lists those there are.
        """
        if machine not in self.machine_arns:
            known = ", ".join(sorted(self.machine_arns))
            there = f"Deployed are: {known}." if known else f"None is deployed. {self._how_to_deploy}"
            missing = f"There is no state machine '{machine}' in environment '{self.environment}'."
            raise NotDeployed(f"{missing} {there}{self._comes_with(machine)}")
        return self.machine_arns[machine]

    @property
    def _how_to_deploy(self) -> str:
        return (
            "Start it with `gatehouse up`."
            if self.cloud
            else f"Deploy it with `gatehouse deploy --env {self.environment}`."
        )

    def _comes_with(self, machine: str) -> str:
        """Return the sentence that says how the domain of a machine is deployed; empty if no domain has it."""
        domain = machines.domain(machine)
        if not domain:
            return ""
        parameter = f"{domain.title().replace('_', '')}=enabled"
        if self.cloud:
            return f" It comes with `gatehouse up --parameter {parameter}{self.cloud_option}`."
        return f" It comes with `{parameter}` in samconfig.toml."
