"""Where webhooks may go: everything that is refused, in each of its spellings."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from service.domain.callback import CallbackPolicy, CallbackRefusedError
from service.settings import SettingsError, load_settings

PUBLIC = CallbackPolicy()
WITH_HTTP = CallbackPolicy(allow_http=True)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://hooks.example/a?b=c", "hooks.example", 443, "/a?b=c", "hooks.example"),
        ("HTTPS://Hooks.Example", "hooks.example", 443, "/", "hooks.example"),
        ("https://hooks.example:8443?x", "hooks.example", 8443, "/?x", "hooks.example:8443"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/", None),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700::1111]/", "2606:4700::1111", 443, "/", "[2606:4700::1111]"),
        ("https://a_b.example/@x", "a_b.example", 443, "/@x", None),
    ],
)
def test_public_urls_are_accepted(
    url: str, host: str, port: int, path: str, authority: str | None
) -> None:
    callback = PUBLIC.check_url(url)
    assert (callback.host, callback.port, callback.path) == (host, port, path)
    assert callback.authority == (authority or host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "//hooks.example/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "javascript:alert(1)",
        "https:///path",
        "https://",
        "https://user@hooks.example/",
        "https://user:password@hooks.example/",
        "https://hooks.example@10.0.0.1/",
        "https://hooks.example/#fragment",
        "https://hooks.example/#",
        "https://hooks.example:0/",
        "https://hooks.example:/",
        "https://hooks.example:65536/",
        "https://hooks.example:port/",
        "https://hooks.example\\@10.0.0.1/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nX-Header: 1",
        "https://hooks.example/\t",
        "https://hooks.exämple/",
        "https://hooks.example%2f.evil/",
        "https://127.0.0.1%00.example/",
        "https://-hooks.example/",
        "https://hooks..example/",
        "https://hooks.example./",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://[v1.a]/",
        "https://hooks.example/" + "a" * 2048,
        f"https://{'a' * 64}.example/",
    ],
)
def test_urls_that_are_not_plain_https_are_refused(url: str) -> None:
    with pytest.raises(CallbackRefusedError):
        WITH_HTTP.check_url(url)


def test_plain_http_needs_the_setting() -> None:
    with pytest.raises(CallbackRefusedError, match="https"):
        PUBLIC.check_url("http://hooks.example/")
    assert WITH_HTTP.check_url("http://hooks.example/").port == 80


REFUSED_ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(CallbackRefusedError, match="not a public address"):
        WITH_HTTP.check_url(f"https://{host}/")
    with pytest.raises(CallbackRefusedError, match="not a public address"):
        WITH_HTTP.check_address("hooks.example", ip_address(address))


def test_a_scoped_address_is_refused() -> None:
    with pytest.raises(CallbackRefusedError):
        PUBLIC.check_address("hooks.example", ip_address("2606:4700::1%eth0"))


@pytest.mark.parametrize("address", ["1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111"])
def test_public_addresses_are_allowed(address: str) -> None:
    PUBLIC.check_address("hooks.example", ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7F.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "10.0.0.0x1",
        "1.1.1.1.1",
        "999.1.1.1",
        "8.8.8.8.",
        "hooks.example.0x",
        "hooks.example.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
    ],
)
def test_numeric_tricks_are_refused(host: str) -> None:
    with pytest.raises(CallbackRefusedError):
        WITH_HTTP.check_url(f"https://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "intranet",
        "printer.local",
        "metadata.google.internal",
        "router.lan",
        "nas.home.arpa",
        "git.corp",
        "localhost.localdomain",
    ],
)
def test_names_of_inside_are_refused(host: str) -> None:
    with pytest.raises(CallbackRefusedError, match="inside"):
        PUBLIC.check_url(f"https://{host}/")


def test_the_allow_list_opens_networks() -> None:
    policy = CallbackPolicy.of(allow_http=False, allowed=("10.1.0.0/16", "fd00:1::/32"))
    assert policy.check_url("https://10.1.2.3/").port == 443
    assert policy.check_url("https://[fd00:1::7]/").port == 443
    # Its names are welcome; where they lead is decided by their addresses.
    assert policy.check_url("https://hooks.corp.internal/").address is None
    policy.check_address("hooks.corp.internal", ip_address("10.1.2.3"))
    for other in ("10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3"):
        with pytest.raises(CallbackRefusedError):
            policy.check_address("hooks.corp.internal", ip_address(other))


def test_the_allow_list_opens_hosts() -> None:
    policy = CallbackPolicy.of(allow_http=False, allowed=("hooks", "Courier.internal"))
    for host in ("hooks", "courier.internal"):
        assert policy.check_url(f"https://{host}/").host == host
        policy.check_address(host, ip_address("127.0.0.1"))
    for url in ("https://hooks.internal/", "https://a.courier.internal/", "https://10.0.0.1/"):
        with pytest.raises(CallbackRefusedError):
            policy.check_url(url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STANCEWIRE_WEBHOOK_ALLOW", "10.0.0.1/8"),
        ("STANCEWIRE_WEBHOOK_ALLOW", "10.0.0.0/8,not a host"),
        ("STANCEWIRE_WEBHOOK_ALLOW", "300.1.1.1"),
        ("STANCEWIRE_WEBHOOK_ALLOW", "0x7f"),
        ("STANCEWIRE_WEBHOOK_SECRET", "secret"),
        ("STANCEWIRE_WEBHOOK_SECRET", "whsec_not base64"),
        ("STANCEWIRE_WEBHOOK_SECRET", "whsec_dG9vIHNob3J0"),
        ("STANCEWIRE_WEBHOOK_ALLOW_HTTP", "perhaps"),
    ],
)
def test_wrong_settings_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_settings_become_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().callback_policy == PUBLIC
    # What a compose file passes on when nothing is set.
    monkeypatch.setenv("STANCEWIRE_WEBHOOK_ALLOW", "")
    monkeypatch.setenv("STANCEWIRE_WEBHOOK_SECRET", "")
    assert load_settings().callback_policy == PUBLIC
    monkeypatch.setenv("STANCEWIRE_WEBHOOK_ALLOW", "10.0.0.0/8, hooks")
    monkeypatch.setenv("STANCEWIRE_WEBHOOK_ALLOW_HTTP", "true")
    policy = load_settings().callback_policy
    assert policy.check_url("http://10.1.2.3/").port == 80
    assert policy.hosts == {"hooks"}


def test_the_secret_does_not_show() -> None:
    assert "hush" not in repr(replace(load_settings(), webhook_secret="whsec_hush"))
