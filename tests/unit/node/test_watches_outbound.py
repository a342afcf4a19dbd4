"""The way out: what must not be reached is not, by whatever name; one answer, bounded, from the address that was checked."""

from __future__ import annotations

import ipaddress
import time
from email.message import EmailMessage

import pytest
from hook_support import certificates, hook
from hypothesis import given
from hypothesis import strategies as st
from mail_support import sink

from shieldwall.errors import UsageError
from shieldwall.node.outbound import (
    Limits,
    MailServer,
    Target,
    Unreachable,
    checked_addresses,
    embedded,
    is_internet,
    is_own,
    parse_url,
    post,
    send_mail,
)

NOBODY = str(ipaddress.IPv4Address(0))
INSIDE = [
    NOBODY, "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.9.9",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::", "3fff::1", "5f00::1", "fc00::1",
    "fd12::1", "fe80::1", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1", "4000::1", "1::1",
]  # fmt: skip
INTERNET = [
    "1.1.1.1", "9.9.9.9", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1",
    "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2400:cb00::1", "64:ff9b::101:101", "2002:101:101::1",
    "::ffff:9.9.9.9",
]  # fmt: skip


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_inside_is_not_of_the_internet(text):
    assert not is_internet(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", INTERNET)
def test_what_is_of_the_internet(text):
    assert is_internet(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_form_is_as_good_as_itself(address):
    number = int(address)
    forms = [(0xFFFF << 32) | number, int(ipaddress.ip_address("64:ff9b::")) | number, (0x2002 << 112) | (number << 80)]
    for form in map(ipaddress.IPv6Address, forms):
        assert embedded(form) == address
        assert is_internet(form) == is_internet(address)


@given(st.ip_addresses())
def test_nothing_is_both_inside_and_outside_and_python_never_calls_ours_private(address):
    assert not (is_internet(address) and is_own(address))
    if is_internet(address) and address.version == 4:
        assert address.is_global


@pytest.mark.parametrize("text", ["169.254.169.254", "fe80::1", "fec0::1", "224.0.0.1", "100.64.0.1", NOBODY, "::"])
def test_some_are_never_allowed(text):
    target = Target(host="host", port=443, path="/", tls=True)
    with pytest.raises(UsageError):
        checked_addresses(target, allow_private=True, resolve=lambda *_: [text])


@pytest.mark.parametrize(
    ("addresses", "private", "tls", "good"),
    [
        (["9.9.9.9"], False, True, True),
        (["9.9.9.9"], True, False, False),
        (["9.9.9.9", "127.0.0.1"], False, True, False),
        (["127.0.0.1"], False, True, False),
        (["127.0.0.1"], True, True, True),
        (["127.0.0.1"], True, False, True),
        (["127.0.0.1", "9.9.9.9"], True, False, False),
        (["10.1.2.3", "::1", "fd00::1", "::ffff:192.168.0.1"], True, False, True),
        (["fe80::1%eth0"], True, True, False),
        (["nonsense"], True, True, False),
    ],
)
def test_every_address_of_a_name_counts(addresses, private, tls, good):
    target = Target(host="host", port=443, path="/", tls=tls)
    if good:
        assert len(checked_addresses(target, allow_private=private, resolve=lambda *_: addresses)) == len(addresses)
        return
    with pytest.raises(UsageError):
        checked_addresses(target, allow_private=private, resolve=lambda *_: addresses)


def test_a_name_is_asked_once():
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return ["9.9.9.9"]

    checked_addresses(Target(host="host", port=443, path="/", tls=True), resolve=resolve)
    assert asked == [("host", 443)]
    with pytest.raises(Unreachable):
        checked_addresses(Target(host="host", port=443, path="/", tls=True), resolve=lambda *_: [])


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.org/", "file:///etc/passwd", "https://", "https:///x", "https://user@example.org/",
        "https://user:pw@example.org/", "https://example.org/#x", "https://exa mple.org/", "https://example.org\\@evil/",
        "https://example.org:99999/", "https://example.org:x/", "https://[::1/", "https://-x.org/", "https://a..b/",
        "https://exämple.org/", "https://example.org/\r\nX: y", "javascript:alert(1)", "//example.org/", "https://a_b%00c/",
    ],
)  # fmt: skip
def test_what_is_no_url_to_ask(url):
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert "pw" not in str(caught.value)


def test_a_url_taken_apart():
    assert parse_url("https://example.org/a?b=c") == Target(host="example.org", port=443, path="/a?b=c", tls=True)
    assert parse_url("http://[::1]:8080") == Target(host="::1", port=8080, path="/", tls=False)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda text: "https://" + text))
def test_any_text_is_a_target_or_an_error(text):
    try:
        found = parse_url(text)
    except UsageError:
        return
    assert found.host
    assert "\r" not in found.path


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost"])
def test_loopback_by_any_name_is_refused(host):
    with pytest.raises((UsageError, Unreachable)):
        post(f"https://{host}/", b"", {})


def test_a_request_arrives():
    with hook() as there:
        there.status, there.body = 200, b"good"
        answer = post(there.url + "?a=b", b"{}", {"X-One": "1"}, allow_private=True)
    (path, headers, body) = there.received[0]
    assert (answer.status, answer.body, path, body) == (200, b"good", "/hook?a=b", b"{}")
    assert headers["X-One"] == "1"
    assert headers["Host"].startswith("localhost:")


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with hook() as there:
        assert post(there.url, b"", {}, allow_private=True).status == 204


def test_the_name_of_a_certificate_is_that_of_the_url_and_not_of_the_address(tmp_path):
    server, client = certificates(tmp_path)
    with hook(server) as there:
        assert post(there.url, b"", {}, allow_private=True, context=client).status == 204
        other = there.url.replace("localhost", "other.example")
        with pytest.raises(Unreachable, match="certificate"):
            post(other, b"", {}, allow_private=True, context=client, resolve=lambda *_: ["127.0.0.1"])
        with pytest.raises(Unreachable, match="certificate"):
            post(there.url, b"", {}, allow_private=True)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 500, 503])
def test_another_answer_counts_for_none_and_no_redirect_is_followed(status):
    with hook() as there, hook() as elsewhere:
        there.status, there.headers = status, {"Location": elsewhere.url}
        with pytest.raises(Unreachable, match=str(status)):
            post(there.url, b"", {}, allow_private=True)
        assert elsewhere.received == []


def test_an_answer_is_bounded_in_size_and_in_time():
    with hook() as there:
        there.status, there.body = 200, bytes(3000)
        with pytest.raises(Unreachable, match="too long"):
            post(there.url, b"", {}, allow_private=True, limits=Limits(most_bytes=2999))
        there.drip = 0.05
        began = time.monotonic()
        with pytest.raises(Unreachable):
            post(there.url, b"", {}, allow_private=True, limits=Limits(seconds=0.4))
        assert time.monotonic() - began < 5


def test_nobody_listens():
    with hook() as there:
        url = there.url
    with pytest.raises(Unreachable, match="no connection"):
        post(url, b"", {}, allow_private=True)


def mail(to="mara@example.org"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "node@example.org", to, "A watch rang"
    message.set_content("Hello\n.\nthere\n")
    return message


def test_mail_is_handed_in(tmp_path):
    server, client = certificates(tmp_path)
    with sink(server) as there:
        way = MailServer(host="localhost", port=there.port, user="node", password="secret")  # noqa: S106 - of the sink
        send_mail(way, mail(), context=client)
        assert there.encrypted == [True]
        assert there.users == [("node", "secret")]
        assert there.received[0].get_content() == "Hello\n.\nthere\n"
        assert "secret" not in repr(way)
        with pytest.raises(Unreachable, match="certificate"):
            send_mail(way, mail())


def test_mail_without_tls_stays_inside():
    with sink() as there:
        send_mail(MailServer(host="localhost", port=there.port, starttls=False), mail())
        assert len(there.received) == 1
        with pytest.raises(Unreachable):
            send_mail(MailServer(host="localhost", port=there.port), mail())
        there.refuse = 451
        with pytest.raises(Unreachable, match="451"):
            send_mail(MailServer(host="localhost", port=there.port, starttls=False), mail())
    with pytest.raises(UsageError):
        send_mail(MailServer(host="mail.example", port=25, starttls=False), mail(), resolve=lambda *_: ["9.9.9.9"])
    with pytest.raises(UsageError):
        send_mail(MailServer(host="mail.example", port=25), mail(), resolve=lambda *_: ["169.254.169.254"])
