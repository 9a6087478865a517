import polars as pl
import pytest

from firewall_logs.derive import ip_version, ip_versions, path_templates, registered_domain


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.Example.CO.UK:8443", "example.co.uk"),
        ("example.com.", "example.com"),
        ("a.b.github.io", "b.github.io"),
        ("github.io", None),
        ("com", None),
        ("localhost", None),
        ("", None),
        (".", None),
        ("192.0.2.1", None),
        ("192.0.2.1:80", None),
        ("[2001:db8::1]:443", None),
        ("2001:db8::1", None),
    ],
)
def test_registered_domain_is_that_of_the_public_suffix_list(host: str, domain: str | None) -> None:
    assert registered_domain(host) == domain


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/orders/12/items/7", "/orders/{n}/items/{n}"),
        ("/0F8fad5b-d9cb-469f-a165-70867728950e", "/{uuid}"),
        ("/0123456789abcdefABCDEF", "/{hex}"),
        ("/deadbeefdeadbeef", "/{hex}"),
        ("/1234567890123456", "/{n}"),
        ("/orders/12/deadbeefdeadbeef", "/orders/{n}/{hex}"),
        ("/deadbeefdeadbee", "/deadbeefdeadbee"),
        ("/abcdefghij_ABCDEFGHI-1", "/{token}"),
        ("/abcdefghijABCDEFGHIJ", "/abcdefghijABCDEFGHIJ"),
        ("/page-2.html", "/page-2.html"),
        ("/\u0661\u0662", "/\u0661\u0662"),
        ("//7//", "//{n}//"),
        ("", ""),
    ],
)
def test_path_template_names_what_varies(path: str, template: str) -> None:
    assert path_templates(pl.Series([path, None])).to_list() == [template, None]


def test_addresses_are_told_apart_in_columns_as_one_by_one() -> None:
    texts = [
        *("192.0.2.1", "255.255.255.255", "256.0.0.1", "192.0.2", "192.0.2.01", "1.2.3.4\n", "", " 1.2.3.4"),
        *("::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8", "FE80::1"),
        *("1:2:3:4:5:6:7:8::", "1::2::3", ":::", "12345::", "g::", "1:2:3:4:5:6:7", "fe80::1%eth0", "::ffff:1.2.3.4"),
    ]
    versions = ip_versions(pl.Series([*texts, None], dtype=pl.String)).to_list()
    assert versions == [*map(ip_version, texts), None]
    assert (versions.count(4), versions.count(6)) == (2, 9)
