"""Links that are revoked while intake runs, by the command that an operator gives."""

import json
from dataclasses import replace
from datetime import timedelta

import httpx
from typer.testing import CliRunner

from services.console.main import app
from tests.support.assertions.eventually import eventually
from tests.support.clients.form import NOW, PDF, SECRET, Site, post_form
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.services import Launch


def revoke(site: Site, files: IntakeFiles, *options: str) -> dict[str, str | None]:
    """Run `dondoc links revoke` beside intake, and return what it prints."""
    environment = {
        "DONDOC_CLOCK": f"steered:{site.clock}",
        "DONDOC_INTAKE_LINK_REVOCATIONS": str(files.revocations),
    }
    done = CliRunner().invoke(app, ["links", "revoke", "--reason", "forwarded", *options], env=environment)
    assert done.exit_code == 0, done.stderr
    printed: dict[str, str | None] = json.loads(done.stdout)
    return printed


async def test_a_revoked_link_opens_nothing_and_a_new_one_everything(
    site: Site, launch: Launch, intake_files: IntakeFiles, browser: httpx.Client
) -> None:
    """Without a restart the links of one agency end, form and receipt alike; others and later ones go on."""
    settings = {
        **intake_files.environment,
        "DONDOC_KAFKA_BOOTSTRAP": site.bus.bootstrap,
        "DONDOC_CLOCK": f"steered:{site.clock}",
        "DONDOC_FORM_KEY": SECRET,
        "DONDOC_INTAKE_ATTACHMENTS": str(site.attachments),
        "DONDOC_INTAKE_RULES_URL": "http://127.0.0.1:9",
        "DONDOC_INTAKE_WORKERS": "1",
    }
    site = replace(site, intake=launch("intake", **settings))
    other = replace(site, agency="h-khac")
    sent = post_form(browser, site.address(), files={"a.pdf": PDF})
    receipt = site.intake.url + sent.headers["location"]
    assert browser.get(receipt).status_code == 200
    site.steer(NOW + timedelta(hours=1))
    assert revoke(site, intake_files, "--agency", site.agency)["agency"] == site.agency
    await eventually(lambda: browser.get(site.address()).status_code == 403, "the link is revoked", timeout=10.0)
    assert "Liên kết đã bị thu hồi" in browser.get(site.address()).text
    assert "This link has been revoked" in browser.get(site.address(language="en")).text
    assert browser.get(receipt).status_code == 403
    assert post_form(browser, site.address()).status_code == 403
    assert "thu hồi" not in browser.get(other.address()).text
    site.steer(NOW + timedelta(hours=2))
    assert browser.get(site.address(site.token(issued_at=NOW + timedelta(hours=2)))).status_code == 200
    assert len(await site.events()) == 1


async def test_all_links_issued_before_an_instant_can_be_revoked(
    site: Site, launch: Launch, intake_files: IntakeFiles, browser: httpx.Client
) -> None:
    """A leak of a mailbox ends every link that could have been in it, and those issued since stay good."""
    settings = {
        **intake_files.environment,
        "DONDOC_KAFKA_BOOTSTRAP": site.bus.bootstrap,
        "DONDOC_CLOCK": f"steered:{site.clock}",
        "DONDOC_FORM_KEY": SECRET,
        "DONDOC_INTAKE_RULES_URL": "http://127.0.0.1:9",
    }
    revoke(site, intake_files, "--all", "--before", NOW.isoformat())
    site = replace(site, intake=launch("intake", **settings))
    assert browser.get(site.address()).status_code == 200
    assert browser.get(site.address(site.token(issued_at=NOW - timedelta(seconds=1)))).status_code == 403
