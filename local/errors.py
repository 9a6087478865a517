"""What can go wrong around the embedded cloud, in sentences that the command line prints as they are."""


class LocalCloudError(Exception):
    """Base of all: says what happened, where, and what to do next."""


class ServerNotStarted(LocalCloudError):
    """MiniStack did not come up, or something else answers in its place."""


class ServerNotRunning(LocalCloudError):
    """There is no server of this name."""


class ServerNotStopped(LocalCloudError):
    """Something that the server started cannot be ended."""


class EnvironmentUnknown(LocalCloudError):
    """samconfig.toml has no environment of this name."""


class ParameterInvalid(LocalCloudError):
    """The template has no such parameter, or does not allow its value."""


class UserElsewhere(LocalCloudError):
    """A user of the embedded cloud is asked for on AWS."""


class BuildFailed(LocalCloudError):
    """`sam build` failed."""


class DeployFailed(LocalCloudError):
    """`sam deploy` failed, or what it deployed is not what the template says."""
