"""The tables of the invented world: who asks, for what, and which rules look at it.

Each is a frame whose columns carry Cloudflare's names; events refer to its rows by index. They are small, so the
few hundred thousand distinct texts of a corpus are made once and gathered a million times.
"""

import uuid
from dataclasses import dataclass
from random import Random

import polars as pl

from demo.corpus_chance import Chance, grouped_steps, seeded, steps, zipf
from demo.corpus_words import (
    ATTACKERS,
    BROWSERS,
    COLOS,
    HOST_LABELS,
    INJECTIONS,
    IP_CLASSES,
    LOGINS,
    NETWORKS,
    PAGES,
    PROBES,
    PRODUCTS,
    RULES,
    STAGES,
    TARGETS,
    TOOLS,
    Rule,
)

_V6_ONE_IN = 5


@dataclass(frozen=True)
class Table:
    """Rows to pick from, and the steps by which `Chance.pick` weighs them."""

    rows: pl.DataFrame
    steps: pl.Series


@dataclass(frozen=True)
class Corpus:
    """Everything that events refer to.

    Attributes:
        matches: Rule and metadata; grouped by `STAGES`. Column `target` is an index into `TARGETS`.
        outcomes: Statuses, row for row those of `matches`: a request has the outcome of its last match.
        bodies: What scanning the request's body said; group 1 are sign-ins.
        targets: Path, query and method; grouped by `TARGETS`.
        clients: Address, network and browser; group 0 are people and bots, group 1 the attackers.
        hosts: By popularity.
    """

    matches: Table
    outcomes: Table
    targets: Table
    clients: Table
    hosts: Table
    referers: Table
    connections: Table
    colos: Table
    bodies: Table


def build(zone: str, chance: Chance, seed: int, size: int) -> Corpus:
    """Return a corpus for a zone; `size` is about the number of clients, a quarter of the number of paths."""
    matches = _matches(seeded(seed, "matches"))
    statuses = ["EdgeResponseStatus", "OriginResponseStatus"]
    return Corpus(
        matches=Table(matches.rows.drop(statuses), matches.steps),
        outcomes=Table(matches.rows.select(statuses), matches.steps),
        targets=_targets(seeded(seed, "targets", zone), size),
        clients=_clients(chance, size, _agents(seeded(seed, "agents"), size)),
        hosts=_hosts(zone, size),
        referers=_referers(zone, size),
        connections=_connections(),
        colos=Table(
            pl.DataFrame({"EdgeColoCode": [*COLOS, *(f"X{a}{b}" for a in "ABCDEF" for b in "KLMN")]}),
            zipf(len(COLOS) + 24),
        ),
        bodies=_bodies(),
    )


def _matches(random: Random) -> Table:
    rules = sorted(RULES, key=lambda rule: STAGES.index(rule.stage))
    rows = [
        {
            "Action": rule.action,
            "Source": rule.source,
            "RuleID": rule.rule_id,
            "Description": rule.description,
            "Ref": rule.ref,
            "Kind": "firewall",
            "Metadata": metadata,
            "EdgeResponseStatus": edge,
            "OriginResponseStatus": origin,
            "target": TARGETS.index(rule.target),
            "stage": STAGES.index(rule.stage),
            "weight": rule.weight,
        }
        for rule in rules
        for edge, origin in rule.outcomes
        for metadata in _metadata(rule, random)
    ]
    frame = pl.DataFrame(rows, schema_overrides=dict.fromkeys(("EdgeResponseStatus", "OriginResponseStatus"), pl.Int64))
    # variants of outcome and Metadata share their rule's weight
    frame = frame.with_columns(pl.col("weight") / pl.len().over("RuleID", "Action", "stage"))
    return Table(frame, grouped_steps(frame["weight"], frame["stage"]))


def _metadata(rule: Rule, random: Random) -> list[str]:
    """Return Metadata as Cloudflare's products write it: numbers as text, keys in no order, sometimes spaced."""
    if rule.source == "firewallmanaged":
        versions = random.sample(range(30, 90), 6)
        return [
            *(f'{{"ruleset_version":"{v}","type":"firewall-managed","version":"{v // 7}"}}' for v in versions[:4]),
            # the same objects as the first two, written by another product
            *(f'{{"version": "{v // 7}", "type": "firewall-managed", "ruleset_version": "{v}"}}' for v in versions[:2]),
        ]
    if rule.source == "l7ddos":
        return ['{"dos-source":"dosd-edge"}', '{"dos-source":"dosd-core"}']
    if rule.source == "firewallcustom":
        tags = [f"{random.getrandbits(128):032x}" for _ in range(3)]
        return [f'{{"filter":"{tag}","type":"customer","matched":{{"n":{n},"ok":true}}}}' for n, tag in enumerate(tags)]
    if rule.source == "apishieldschemavalidation":
        return ['{"zone":"größe","violations":["/body/qty","/body/sku"],"score":0.5}']
    return ["{}"]


def _targets(random: Random, size: int) -> Table:
    groups = [[(path, 1.0) for path in _paths(target, random, size)] for target in TARGETS]
    rows = []
    for group, paths in enumerate(groups):
        for rank, (path, _) in enumerate(paths):
            query, method = _query_and_method(TARGETS[group], random)
            rows.append(
                (path, query, method, group, 1.0 / (rank + 10) ** 0.85),
            )
    frame = pl.DataFrame(
        rows,
        schema=["ClientRequestPath", "ClientRequestQuery", "ClientRequestMethod", "group", "weight"],
        orient="row",
    )
    return Table(frame, grouped_steps(frame["weight"], frame["group"]))


def _paths(target: str, random: Random, size: int) -> list[str]:
    hexes = (f"{random.getrandbits(96):024x}" for _ in range(size))
    if target == "any":
        ids = [
            *(f"/cars/{random.choice(PRODUCTS)}/{random.randrange(10_000, 10_000 + 3 * size)}" for _ in range(size)),
            *(f"/orders/{_uuid(random)}" for _ in range(size // 3)),
            *(f"/offers/{random.randrange(2000, 9999)}/print" for _ in range(size // 4)),
            *(f"/s/{_token(random)}/view" for _ in range(size // 6)),
        ]
        random.shuffle(ids)
        return list(dict.fromkeys([*PAGES, *(f"/cars/{p}" for p in PRODUCTS), *ids]))
    if target == "asset":
        return [f"/assets/{name}/{digest[:20]}/app.js" for name, digest in zip("abcdefgh" * 40, hexes, strict=False)]
    if target == "login":
        return list(LOGINS)
    if target == "api":
        return [
            "/api/v2/orders",
            "/graphql",
            *(f"/api/v2/dealers/{random.randrange(1, 4000)}/stock" for _ in range(size // 4)),
            *(
                f"/api/v2/vehicles/{_uuid(random).upper()}/telemetry/{random.randrange(10**6)}"
                for _ in range(size // 4)
            ),
        ]
    if target == "scan":
        return [*PROBES, *(f"/backup-{day:08d}.tar.gz" for day in range(20260501, 20260531))]
    return ["/search", "/api/v2/orders", "/faq", *(f"/cars/{name}/reviews" for name in PRODUCTS)]


def _uuid(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def _token(random: Random) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "t0" + "".join(random.choices(letters, k=random.randrange(20, 40)))


def _query_and_method(target: str, random: Random) -> tuple[str, str]:
    if target == "inject":
        return random.choice(INJECTIONS), random.choice(("GET", "GET", "GET", "POST"))
    if target == "login":
        return "", "POST"
    if target == "api":
        query = random.choice(("", "", "", f"?page={random.randrange(1, 40)}"))
        return query, random.choice(("GET", "GET", "PUT"))
    campaign = f"?utm_source={random.choice(('mail', 'social', 'größe'))}&utm_id={random.randrange(500)}"
    click = f"?gclid={_token(random)}"
    return random.choice(("", "", campaign, click)), random.choice(("GET",) * 30 + ("HEAD",))


def _agents(random: Random, size: int) -> tuple[list[str], list[str]]:
    """Return browsers and tools, the commonest first; behind the common browsers comes the tail of phones' builds."""
    tail = []
    for _ in range(size // 60):
        model = f"SM-{random.choice('AGSMX')}{random.randrange(100, 999)}B"
        build = f"{random.choice(('TP1A', 'UP1A', 'AP3A'))}.{random.randrange(220_000, 260_000)}"
        chrome = f"{random.randrange(110, 149)}.0.{random.randrange(5000, 7900)}.{random.randrange(200)}"
        tail.append(
            f"Mozilla/5.0 (Linux; Android {random.randrange(9, 17)}; {model} Build/{build}; wv) AppleWebKit/537.36 "
            f"(KHTML, like Gecko) Version/4.0 Chrome/{chrome} Mobile Safari/537.36"
        )
    return [*BROWSERS, *tail], list(TOOLS)


def _clients(chance: Chance, size: int, named: tuple[list[str], list[str]]) -> Table:
    attackers = max(20, size // 50)
    at = pl.int_range(size + attackers, eager=True)
    group = (at >= size).cast(pl.UInt32)
    networks = pl.DataFrame([*NETWORKS, *ATTACKERS], orient="row")
    side = pl.Series([0] * len(NETWORKS) + [1] * len(ATTACKERS), dtype=pl.UInt32)
    network = chance.pick(at, "network", grouped_steps(networks["weight"], side), group)
    classes = chance.pick(at, "class", steps(pl.Series(list(IP_CLASSES.values()))))
    browsers, tools = named
    agents = pl.Series([*browsers, *tools])
    split = pl.Series([0] * len(browsers) + [1] * len(tools), dtype=pl.UInt32)
    ranks = pl.Series([1.0 / r for r in (*range(1, len(browsers) + 1), *range(1, len(tools) + 1))])
    # one in twelve of the ordinary clients is a script as well
    scripted = ((group == 1) | (chance.uniform(at, "scripted") < 1 / 12)).cast(pl.UInt32)
    agent = chance.pick(at, "agent", grouped_steps(ranks, split), scripted)
    frame = pl.DataFrame(
        {
            "ClientASN": networks["asn"].gather(network).cast(pl.Int64),
            "ClientASNDescription": networks["description"].gather(network),
            "ClientCountry": networks["country"].gather(network),
            "ClientIP": _addresses(chance, at, network, networks["v4"]),
            "ClientIPClass": pl.Series(list(IP_CLASSES)).gather(classes),
            "ClientRequestUserAgent": agents.gather(agent),
            "group": group,
        }
    )
    crowd = [1.0 / (rank + 40) ** 0.8 for rank in range(size)]
    gang = [1.0 / (rank + 1) ** 0.8 for rank in range(attackers)]
    return Table(frame, grouped_steps(pl.Series([*crowd, *gang]), group))


def _addresses(chance: Chance, at: pl.Series, network: pl.Series, v4: pl.Series) -> pl.Series:
    """Return addresses of which the network is a function: IPv4 by its two octets, IPv6 of RFC 3849's prefix."""
    bits = chance.bits(at, "address")
    octets = pl.Series([str(n) for n in range(256)])
    words = pl.Series([f"{n:x}" for n in range(1, 65_536)])
    return (
        pl.DataFrame(
            {
                "v6": bits % _V6_ONE_IN == 0,
                "a": v4.gather(network),
                "b": octets.gather((bits // 2**8 % 256).cast(pl.UInt32)),
                "c": octets.gather((bits // 2**16 % 256).cast(pl.UInt32)),
                "d": words.gather(network.cast(pl.UInt32) + 160),
                "e": words.gather((bits // 2**24 % 65_535).cast(pl.UInt32)),
                "f": words.gather((bits // 2**40 % 65_535).cast(pl.UInt32)),
            }
        )
        .select(
            pl.when("v6")
            .then(pl.format("2001:db8:{}:{}::{}", "d", "e", "f"))
            .otherwise(pl.format("{}.{}.{}", "a", "b", "c"))
        )
        .to_series()
    )


def _hosts(zone: str, size: int) -> Table:
    bare = [zone if label == "@" else f"{label}.{zone}" for label in ("www", "@", *HOST_LABELS[1:])]
    names = [
        *bare[:8],
        f"api.{zone}:8443",
        *bare[8:],
        f"WWW.{zone.upper()}",
        f"www.{zone}.",
        *(f"dealer-{n}.{zone}" for n in range(100, 160 + size // 1000)),
        # the public suffix list, its private section included, decides where these end
        "night-sale.co.uk",
        "www.night-sale.co.uk",
        "night-parts.github.io",
        "203.0.113.80",
        "203.0.113.80:8080",
        "[2001:db8::50]",
        "co.uk",
        "localhost",
    ]
    return Table(pl.DataFrame({"ClientRequestHost": names}), zipf(len(names), 1.2, 1.0))


def _referers(zone: str, size: int) -> Table:
    rows = [
        ("", "", "", "", 60.0),
        (f"www.{zone}", "/", "", "https", 12.0),
        (f"www.{zone}", "/cars", "", "https", 8.0),
        (f"shop.{zone}", "/cart", "?step=2", "https", 5.0),
        ("www.google.com", "/", "", "https", 8.0),
        ("duckduckgo.com", "/", "", "https", 2.0),
        ("t.co", "/x7", "", "http", 1.0),
        *((f"www.{zone}", f"/offers/{2000 + n}", f"?from={n}", "https", 8 / (n + 4)) for n in range(20 + size // 40)),
    ]
    names = ["ClientRefererHost", "ClientRefererPath", "ClientRefererQuery", "ClientRefererScheme", "weight"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return Table(frame, steps(frame["weight"]))


def _connections() -> Table:
    rows = [
        ("HTTP/2", "https", 60.0),
        ("HTTP/3", "https", 22.0),
        ("HTTP/1.1", "https", 14.0),
        ("HTTP/1.1", "http", 4.0),
    ]
    frame = pl.DataFrame(rows, schema=["ClientRequestProtocol", "ClientRequestScheme", "weight"], orient="row")
    return Table(frame, steps(frame["weight"]))


def _bodies() -> Table:
    nothing: tuple[list[str], list[int], list[str]] = ([], [], [])
    rows = [
        (None, *nothing, 0, 90.0),
        (None, ["clean"], [48_213], ["application/pdf"], 0, 5.0),
        (None, ["clean", "clean"], [1_204, 90_112], ["text/csv", "image/png"], 0, 2.0),
        (None, ["malicious"], [7_340_032], ["application/zip"], 0, 0.5),
        ("clean", *nothing, 1, 80.0),
        ("username_leaked", *nothing, 1, 6.0),
        ("password_leaked", *nothing, 1, 8.0),
        ("username_and_password_leaked", *nothing, 1, 4.0),
    ]
    names = [
        "LeakedCredentialCheckResult",
        "ContentScanObjResults",
        "ContentScanObjSizes",
        "ContentScanObjTypes",
        "group",
        "weight",
    ]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return Table(frame, grouped_steps(frame["weight"], frame["group"]))
