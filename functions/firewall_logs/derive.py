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
_SHORTENED: Final = "|".join(f"(?:{_GROUP}:){{1,{before}}}(?::{_GROUP}){{1,{7 - before}}}" for before in range(1, 7))
_IPV6: Final = rf"^(?:(?:{_GROUP}:){{7}}{_GROUP}|{_SHORTENED}|(?:{_GROUP}:){{1,7}}:|:(?::{_GROUP}){{1,7}}|::)$"
# A segment is what stands between two slashes; the first rule that matches applies.
_NUMBER: Final = ("{n}", ("^[0-9]+$",))
_SEGMENTS: Final = (
    _NUMBER,
    ("{uuid}", ("(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",)),
    ("{hex}", ("(?i)^[0-9a-f]{16,}$",)),
    ("{token}", ("^[A-Za-z0-9_-]{20,}$", "[A-Za-z]", "[0-9]")),
)
# What every segment has that any but the first of these rules replaces.
_LONG: Final = "[A-Za-z0-9_-]{16}"


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
    versions = pl.select(pl.when(addresses.str.contains(_IPV6)).then(pl.lit(6, pl.Int8))).to_series()
    doubtful = versions.is_null().arg_true()
    rest = [ip_version(text) for text in addresses.gather(doubtful).to_list()]
    return versions.scatter(doubtful, pl.Series(rest, dtype=pl.Int8))


def path_templates(paths: pl.Series) -> pl.Series:
    """Return each path with its variable segments replaced by what they are."""
    long = paths.str.contains(_LONG)
    templates = paths.clone()
    for mask, rules in ((long, _SEGMENTS), (~long & paths.str.contains("[0-9]"), (_NUMBER,))):
        template = segment = pl.element()
        for name, patterns in reversed(rules):
            matches = pl.all_horizontal(segment.str.contains(pattern) for pattern in patterns)
            template = pl.when(matches).then(pl.lit(name)).otherwise(template)
        rows = mask.fill_null(value=False).arg_true()
        templates.scatter(rows, paths.gather(rows).str.split("/").list.eval(template).list.join("/"))
    return templates
