"""The estate of a deployment: the accounts and regions that it looks after."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.target import Target
    from data_protection.estate import Estate
    from data_protection.resources import Place


def estate_of(target: "Target") -> "Estate":
    """Return the estate of a deployment; the caller must be of its account.

    Raises:
        EstateInvalid: The document in the lake bucket is none.
    """
    from data_protection.adapters.estate import EstateStore  # noqa: PLC0415 - heavy

    sts = target.client("sts")
    own, region = sts.get_caller_identity()["Account"], target.client("dynamodb").meta.region_name
    return EstateStore(target.client("s3"), target.output("LakeBucketName")).load(own, region)


def places_of(estate: "Estate", target: "Target") -> "list[Place]":
    """Return where a deployment looks, in order of the estate."""
    partition = target.client("sts").get_caller_identity()["Arn"].split(":")[1]
    return estate.places(frozenset(), frozenset(), partition)
