import itertools
from json import dumps
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from firewall_logs import schema
from firewall_logs.days.ocsf import OUTCOMES, UNMAPPED, project
from tests.support.firewall_slices import of_lines
from tests.support.ocsf import problems, published
from tests.support.raw import an_event

BARE: dict[str, Any] = {"Datetime": "2026-06-01T00:00:00Z"}
FULL = an_event(
    1,
    Datetime="2026-06-01T10:00:00.123456789Z",
    ClientASN=4_294_967_295,
    ClientASNDescription="EXAMPLE",
    ClientCountry="de",
    ClientIP="2001:db8::1",
    ClientRefererScheme="https",
    ClientRefererHost="search.example",
    ClientRefererPath="/q",
    ClientRefererQuery="?a=1",
    ClientRequestHost="Shop.Example.com:8443",
    ClientRequestMethod="GET",
    ClientRequestPath="/a b",
    ClientRequestProtocol="HTTP/2",
    ClientRequestQuery="?x=1",
    ClientRequestScheme="https",
    ClientRequestUserAgent="curl/8",
    Description="no bots",
    MatchIndex=0,
    Metadata={"kind": "firewall"},
    OriginatorRayID="00",
    Ref="label",
    Novel="kept",
)


def _projected(folder: Path, *events: dict[str, Any]) -> list[dict[str, Any]]:
    made = of_lines(folder / "slice", *map(dumps, events))
    frames = [
        pl.read_parquet(file.path, hive_partitioning=False) for file in made.outcome.files if file.kind == "events"
    ]
    return project(pl.concat(frames)).to_dicts()


def test_every_event_is_valid_ocsf(tmp_path: Path) -> None:
    methods = [None, "", "GET", "get", "PATCH", "TRACE", "BREW", "CONNECT"]
    hosts = [
        None,
        "",
        "a.example",
        "a.example.",
        "[2001:db8::1]:443",
        "192.0.2.1:80",
        "under_score.example",
        "ü.example",
    ]
    actions = [None, "", "BLOCK", "brandNew", *sorted(schema.ACTIONS.values)]
    events = [BARE, FULL]
    for number, action in enumerate(actions):
        events.append(BARE | {"RayID": f"a{number}", "Action": action})
    for number, (method, host) in enumerate(itertools.product(methods, hosts)):
        path = [None, "/", "/x?y"][number % 3]
        given = {"ClientRequestMethod": method, "ClientRequestHost": host, "ClientRequestPath": path}
        events.append(BARE | {"RayID": f"b{number}", "ClientRequestScheme": [None, "https"][number % 2]} | given)
    for number, country in enumerate(["XX", "T1", "de", "", "nonsense"]):
        events.append(BARE | {"RayID": f"c{number}", "ClientIP": "192.0.2.1", "ClientCountry": country})
    found = _projected(tmp_path, *events)

    assert len(found) == len(events)
    assert not {problem for event in found for problem in problems(event)}


def test_an_event_that_breaks_the_schema_is_noticed(tmp_path: Path) -> None:
    [event] = _projected(tmp_path, FULL)
    broken: dict[str, dict[str, Any]] = {
        "time is required": {"time": None},
        "action_id is 7": {"action_id": 7},
        "novel is no attribute": {"novel": 1},
        "time is 'x', which is no timestamp_t": {"time": "x"},
        "src_endpoint.ip is 'nowhere'": {"src_endpoint": {"ip": "nowhere"}},
        "firewall_rule. has none of name, uid": {"firewall_rule": {"desc": "x"}},
        "http_response.code is required": {"http_response": {"code": None}},
    }

    assert not problems(event)
    for complaint, change in broken.items():
        assert any(problem.startswith(complaint) for problem in problems(event | change)), complaint


def test_what_an_analyst_looks_for_is_where_ocsf_has_it(tmp_path: Path) -> None:
    [event] = _projected(tmp_path, FULL)

    assert (event["time"], event["type_uid"], event["activity_name"]) == (1780308000123, 400203, "Get")
    assert (event["action"], event["disposition"]) == ("Denied", "Blocked")
    assert event["src_endpoint"] == {
        "ip": "2001:db8::1",
        "location": {"country": "DE"},
        "autonomous_system": {"number": 4_294_967_295, "name": "EXAMPLE"},
    }
    assert event["dst_endpoint"] == {"hostname": "Shop.Example.com", "name": None, "svc_name": "media.example"}
    assert event["http_request"]["url"] == {
        "url_string": "https://Shop.Example.com:8443/a b?x=1",
        "scheme": "https",
        "hostname": "Shop.Example.com",
        "path": "/a b",
        "query_string": "x=1",
    }
    assert event["http_request"]["referrer"] == "https://search.example/q?a=1"
    assert event["http_response"] == {"code": 403}
    assert event["firewall_rule"] == {"uid": "rule-1", "name": "label", "desc": "no bots", "type": "waf"}
    assert event["metadata"]["correlation_uid"] == event["http_request"]["uid"] == f"{1:016x}"


def test_what_has_no_place_in_ocsf_is_kept(tmp_path: Path) -> None:
    [event] = _projected(tmp_path, FULL)
    kept = {name: value for name, value in event["unmapped"].items() if value is not None}

    assert kept.keys() == {
        "action", "client_country", "client_request_host", "client_request_method", "event_time_ns", "extra", "feed",
        "match_index", "metadata", "originator_ray_id",
    }  # fmt: skip
    assert (kept["event_time_ns"], kept["extra"]) == (789, '{"Novel":"kept"}')


def test_every_column_is_carried_unmapped_or_derived() -> None:
    derived = {"event_hour", "ip_version", "path_template", "registered_domain"}

    assert derived.isdisjoint(UNMAPPED)
    assert {"match_index", "metadata", "extra", "event_time_ns"} <= set(UNMAPPED) <= schema.EVENTS.keys() - derived


def test_every_known_action_has_an_outcome() -> None:
    assert OUTCOMES.keys() == schema.ACTIONS.values


@pytest.mark.parametrize(
    ("actions", "caption"),
    [
        (["log", "skip", "bypass", "allow", "managedchallengebypassed"], "Allowed"),
        ([action for action in sorted(schema.ACTIONS.values) if action.endswith("solved")], "Allowed"),
        (["challenge", "jschallenge", "managedchallenge", "precursorinterstitialpageissued"], "Unknown"),
        (["block", "connectionclose", "challengefailed"], "Denied"),
    ],
)
def test_only_what_stopped_a_request_is_a_denial(actions: list[str], caption: str) -> None:
    captions = published()["class"]["attributes"]["action_id"]["enum"]

    assert {captions[str(OUTCOMES[action].action_id)] for action in actions} == {caption}


def test_captions_are_those_of_the_schema(tmp_path: Path) -> None:
    events = _projected(tmp_path, *(BARE | {"RayID": action, "Action": action} for action in schema.ACTIONS.values))
    for name in ("action", "disposition"):
        captions = published()["class"]["attributes"][f"{name}_id"]["enum"]
        assert {event[name] for event in events} == {captions[str(event[f"{name}_id"])] for event in events}
        assert all(event[name] == captions[str(event[f"{name}_id"])] for event in events)


def test_a_new_action_is_told_in_the_words_of_the_source(tmp_path: Path) -> None:
    [event] = _projected(tmp_path, BARE | {"Action": "brandNew"})

    assert (event["action_id"], event["disposition_id"], event["disposition"]) == (0, 99, "brandNew")


def test_events_come_by_time(tmp_path: Path) -> None:
    events = [BARE | {"RayID": str(hour), "Datetime": f"2026-06-01T0{hour}:00:00Z"} for hour in (5, 1, 3)]

    assert [event["http_request"]["uid"] for event in _projected(tmp_path, *events)] == ["1", "3", "5"]
