"""Derived columns: rules on one distinct value each (docs/firewall_logs.md, "Derived columns")."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import polars as pl
from publicsuffixlist import PublicSuffixList

_PORT: Final = re.compile(r":[0-9]*\Z", re.ASCII)
_IPV4: Final = (
    r"^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$"
)
# A segment is what stands between two slashes; the first rule that matches applies.
_SEGMENTS: Final = (
    ("{n}", ("^[0-9]+$",)),
    ("{uuid}", ("(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",)),
    ("{hex}", ("(?i)^[0-9a-f]{16,}$",)),
    ("{token}", ("^[A-Za-z0-9_-]{20,}$", "[A-Za-z]", "[0-9]")),
)


class DomainList:
    """The public suffix list, as its package carries it; loading takes a moment."""

    def __init__(self) -> None:
        self._list = PublicSuffixList()

    def registered_domain(self, host: str) -> str | None:
        """Return the registrable domain of a Host header; None for an address or where there is none."""
        name = _PORT.sub("", host).removesuffix(".").lower()
        if name.startswith("[") or ip_version(host) is not None or ip_version(name) is not None:
            return None
        return self._list.privatesuffix(name)


def ip_version(text: str) -> int | None:
    """Return 4 or 6, or None for what is no address; a zone (`fe80::1%eth0`) is no part of one."""
    for version, address in ((4, IPv4Address), (6, IPv6Address)):
        try:
            address(text)
        except AddressValueError:
            continue
        return None if "%" in text else version
    return None


def ip_versions(addresses: pl.Series) -> pl.Series:
    """Return `ip_version` of each text (Int8)."""
    plain = addresses.str.contains(_IPV4)
    versions = [4 if is_v4 else ip_version(text) for text, is_v4 in zip(addresses.to_list(), plain.to_list(), strict=True)]
    return pl.Series(addresses.name, versions, dtype=pl.Int8)


def path_templates(paths: pl.Series) -> pl.Series:
    """Return each path with its variable segments replaced by what they are."""
    segment = pl.element()
    template = segment
    for name, patterns in reversed(_SEGMENTS):
        matches = pl.all_horizontal(segment.str.contains(pattern) for pattern in patterns)
        template = pl.when(matches).then(pl.lit(name)).otherwise(template)
    return paths.str.split("/").list.eval(template).list.join("/")
