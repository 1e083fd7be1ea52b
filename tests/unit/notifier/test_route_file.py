"""The file of routes: what is in it is used, and what is wrong in it is named at its place."""

from pathlib import Path

import pytest

from services.notifier.dispatch import route_file
from services.notifier.dispatch.route_file import RouteFileError
from services.notifier.settings import NotifierSettings
from tests.support.mail.dkim_keys import write_key

PRESETS = sorted(Path("deploy/routes").glob("*.yaml"))


def load(path: Path) -> list[str]:
    """Return the names of the routes in *path*."""
    return [one.name for one in route_file.load_routes(NotifierSettings(routes=path)).routes]


@pytest.mark.parametrize("path", PRESETS, ids=lambda one: str(one.stem))
def test_the_examples_can_be_used(path: Path) -> None:
    """Each names a mail server first and at least one provider of SMS."""
    assert load(path)[0] == "relay"


def test_without_a_file_the_settings_make_two_routes() -> None:
    """One mail server and one SMS centre."""
    assert [one.name for one in route_file.load_routes(NotifierSettings()).routes] == ["smtp", "smpp"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes: []", "routes"),
        ("routes: [{name: a, channel: email}]", "exactly one of smtp, smpp and http"),
        ("routes: [{name: a, channel: sms, smtp: {host: h}}]", "email goes by smtp, sms by smpp or http"),
        ("routes: [{name: a, channel: fax, smtp: {host: h}}]", "routes.0.channel"),
        ("routes: [{name: a, channel: email, smtp: {host: h, prot: 25}}]", "routes.0.smtp.prot"),
        (
            "routes: [{name: a, channel: email, smtp: {host: h}}, {name: a, channel: email, smtp: {host: h}}]",
            "twice: a",
        ),
        (
            "routes: [{name: a, channel: sms, http: {url: 'http://h/', body: {}, success: 'status ==', sender: S}}]",
            "success",
        ),
        (
            (
                "routes: [{name: a, channel: sms, http:"
                " {url: 'http://h/', body: {}, success: 'true', elsewhere: 'true', sender: S}}]"
            ),
            "another route of its channel below it",
        ),
        ("{routes: [{name: a, channel: email, smtp: {host: h}}], order: {office: [email]}}", "name each channel once"),
        ("{routes: [{name: a, channel: email, smtp: {host: h}}], order: {boss: [email, sms]}}", "order.boss"),
        ("routes: [", "routes.yaml"),
    ],
)
def test_a_fault_is_named_at_its_place(tmp_path: Path, text: str, said: str) -> None:
    """The message names the file and the place, and quotes nothing that may be secret."""
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(RouteFileError, match=said) as refused:
        load(path)
    assert str(path) in str(refused.value)


def test_a_fault_does_not_quote_a_password(tmp_path: Path) -> None:
    """A password in the wrong place is not repeated in the message."""
    path = tmp_path / "routes.yaml"
    path.write_text("routes: [{name: a, channel: email, smtp: {host: h, passwort: geheim}}]")
    with pytest.raises(RouteFileError) as refused:
        load(path)
    assert "geheim" not in str(refused.value)


def test_a_key_for_signatures_is_read_when_the_file_is(tmp_path: Path) -> None:
    """A missing one and one of another domain are named; the sender is in a domain below the one that signs."""
    write_key(tmp_path / "key.pem")

    def describe(domain: str, key: str) -> Path:
        path = tmp_path / "routes.yaml"
        signing = f"{{domain: {domain}, selector: a, key_file: '{tmp_path / key}'}}"
        path.write_text(f"routes: [{{name: relay, channel: email, smtp: {{host: h, dkim: {signing}}}}}]")
        return path

    assert load(describe("dondoc.example", "key.pem")) == ["relay"]
    with pytest.raises(RouteFileError, match=r"routes\.0\.smtp\.dkim.*none\.pem"):
        load(describe("dondoc.example", "none.pem"))
    with pytest.raises(RouteFileError, match=r"the sender is in dondoc\.example"):
        load(describe("other.example", "key.pem"))
