"""Derived columns: rules on one distinct value each (docs/firewall_logs.md, "Derived columns")."""

import re
from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import polars as pl
from publicsuffixlist import PublicSuffixList

_PORT: Final = re.compile(r":[0-9]*\Z", re.ASCII)
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
# Of the texts of RFC 4291 section 2.2 those without an embedded IPv4: all groups, or `::` for at least one of them.
_GROUP: Final = "[0-9A-Fa-f]{1,4}"
_IPV6: Final = rf"^(?:{_GROUP}:){{7}}{_GROUP}$"
_IPV6_SHORT: Final = rf"^(?:{_GROUP}(?::{_GROUP}){{0,5}})?::(?:{_GROUP}(?::{_GROUP}){{0,5}})?$"
_IPV6_SHORT_COLONS: Final = 7
# A segment is what stands between two slashes; the first rule that matches applies.
_SEGMENTS: Final = (
    ("{n}", ("^[0-9]+$",)),
    ("{uuid}", ("(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",)),
    ("{hex}", ("(?i)^[0-9a-f]{16,}$",)),
    ("{token}", ("^[A-Za-z0-9_-]{20,}$", "[A-Za-z]", "[0-9]")),
)
# What every segment has that any of these rules replaces.
_VARIABLE: Final = "[0-9]|[0-9A-Fa-f]{16}"


def registered_domain(host: str) -> str | None:
    """Return the registrable domain of a Host header; None for an address or where there is none."""
    name = _PORT.sub("", host).removesuffix(".").lower()
    if name.startswith("[") or ip_version(host) is not None or ip_version(name) is not None:
        return None
    return _public_suffixes().privatesuffix(name)


@cache
def _public_suffixes() -> PublicSuffixList:
    # Loading takes a tenth of a second, which a warm function has behind it.
    return PublicSuffixList()


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
    versions = pl.select(pl.when(plain).then(pl.lit(4, pl.Int8))).to_series()
    others = (~plain).fill_null(value=False).arg_true()
    return versions.scatter(others, _ipv6_versions(addresses.gather(others)))


def _ipv6_versions(addresses: pl.Series) -> pl.Series:
    short = addresses.str.contains(_IPV6_SHORT) & (addresses.str.count_matches(":", literal=True) <= _IPV6_SHORT_COLONS)
    versions = pl.select(pl.when(addresses.str.contains(_IPV6) | short).then(pl.lit(6, pl.Int8))).to_series()
    doubtful = versions.is_null().arg_true()
    rest = [ip_version(text) for text in addresses.gather(doubtful).to_list()]
    return versions.scatter(doubtful, pl.Series(rest, dtype=pl.Int8))


def path_templates(paths: pl.Series) -> pl.Series:
    """Return each path with its variable segments replaced by what they are."""
    variable = paths.str.contains(_VARIABLE).fill_null(value=False).arg_true()
    template = segment = pl.element()
    for name, patterns in reversed(_SEGMENTS):
        matches = pl.all_horizontal(segment.str.contains(pattern) for pattern in patterns)
        template = pl.when(matches).then(pl.lit(name)).otherwise(template)
    return paths.scatter(variable, paths.gather(variable).str.split("/").list.eval(template).list.join("/"))
