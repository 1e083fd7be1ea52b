"""Files of the form in an S3-compatible store that checks signatures: put by, kept, swept, refused, away."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.intake.form import attachments
from services.intake.form.attachments import UNSENT_DAYS, UNSENT_FOLDER, AttachmentStore, StoreUnavailableError
from services.runtime.clock import SystemClock
from tests.integration.intake.form.test_attachments import FixedClock, a_file
from tests.support.clients.form import ANSWERS, PDF, SECRET, Site, post_form
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.object_store import ADDRESS, ObjectStore
from tests.support.servers.services import Launch

# It goes over in several parts.
LARGE = PDF + bytes(12 * 1024 * 1024)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    """Run an S3-compatible store with one bucket."""
    running = ObjectStore(tmp_path / "object-store")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def ours(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> AttachmentStore:
    """Return the attachment store that uses it, configured as by an operator."""
    for name, value in store.environment().items():
        monkeypatch.setenv(name, value)
    return AttachmentStore(ADDRESS, SystemClock())


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """Return a client with a long timeout."""
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture
def form_with(site: Site, launch: Launch, intake_files: IntakeFiles) -> Callable[[dict[str, str]], Site]:
    """Start an intake with a store of its own, and return its form."""
    settings = {
        **intake_files.environment,
        "DONDOC_KAFKA_BOOTSTRAP": site.bus.bootstrap,
        "DONDOC_CLOCK": f"steered:{site.clock}",
        "DONDOC_FORM_KEY": SECRET,
        "DONDOC_INTAKE_RULES_URL": "http://127.0.0.1:9",
    }

    def start(environment: dict[str, str]) -> Site:
        return replace(site, intake=launch("intake", **settings, **environment))

    return start


def path_of(content: bytes) -> str:
    """Return the final path of a file in the bucket."""
    digest = a_file(content).sha256
    return f"attachments/{digest[:2]}/{digest}"


def unsent(content: bytes) -> str:
    """Return the path of an unsent file in the bucket."""
    return f"attachments/{UNSENT_FOLDER}/{a_file(content).sha256}"


async def test_files_wait_and_then_stay(ours: AttachmentStore, store: ObjectStore) -> None:
    """Files are stored completely under their digest, in one part or several, where another client finds them."""
    for content in (PDF, LARGE):
        await ours.store_unsent(a_file(content), io.BytesIO(content))
    assert store.objects() == {unsent(content): content for content in (PDF, LARGE)}
    for _ in range(2):
        assert await ours.make_permanent([a_file(PDF), a_file(LARGE)]) == ()
    assert store.objects() == {path_of(content): content for content in (PDF, LARGE)}
    await ours.store_unsent(a_file(PDF), io.BytesIO(PDF))
    assert store.objects().keys() == {path_of(PDF), path_of(LARGE)}


async def test_what_is_not_there_any_more_is_named(ours: AttachmentStore) -> None:
    """A lost file is reported before anything is recorded, so that the person can choose it again."""
    assert await ours.make_permanent([a_file(PDF)]) == (a_file(PDF),)


async def test_what_is_never_sent_is_swept(ours: AttachmentStore, store: ObjectStore) -> None:
    """Old unsent files are deleted, and files of sent reports stay at any age."""
    for content in (PDF, LARGE):
        await ours.store_unsent(a_file(content), io.BytesIO(content))
    assert await ours.make_permanent([a_file(PDF)]) == ()
    later = AttachmentStore(ADDRESS, FixedClock(SystemClock().now() + timedelta(days=UNSENT_DAYS + 1)))
    await later.store_unsent(a_file(PDF), io.BytesIO(PDF))
    await later.store_unsent(a_file(PDF + b"new"), io.BytesIO(PDF + b"new"))
    assert store.objects().keys() == {path_of(PDF), unsent(PDF + b"new")}


async def test_a_store_that_does_not_answer_is_given_up_and_found_again(
    ours: AttachmentStore, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not answer fails within the timeout, and works again afterwards."""
    await ours.store_unsent(a_file(PDF), io.BytesIO(PDF))
    monkeypatch.setattr(attachments, "STORE_TIMEOUT_SECONDS", 1)
    store.pause()
    for attempt in (ours.store_unsent(a_file(LARGE), io.BytesIO(LARGE)), ours.make_permanent([a_file(PDF)])):
        with pytest.raises(StoreUnavailableError):
            await attempt
    store.resume()
    monkeypatch.undo()
    assert await ours.make_permanent([a_file(PDF)]) == ()


async def test_a_report_with_a_file_goes_into_the_store(
    browser: httpx.Client, store: ObjectStore, form_with: Callable[[dict[str, str]], Site]
) -> None:
    """The digest in the event of a form is that of the file in the object store."""
    site = form_with(store.environment())
    sent = post_form(browser, site.address(), action="send-anyway", files={"a.pdf": PDF})
    assert sent.status_code == 303
    (event,) = await site.events()
    (file,) = event["data"]["attachments"]
    assert store.objects() == {f"attachments/{file['sha256'][:2]}/{file['sha256']}": PDF}


@pytest.mark.parametrize(
    "wrong", [{"AWS_SECRET_ACCESS_KEY": "wrong"}, {"DONDOC_INTAKE_ATTACHMENTS": "s3://nowhere"}], ids=["key", "bucket"]
)
async def test_a_store_that_refuses_us_leaves_the_form_as_it_was_filled_in(
    wrong: dict[str, str], browser: httpx.Client, store: ObjectStore, form_with: Callable[[dict[str, str]], Site]
) -> None:
    """Without the store the page keeps every answer, the log has the reason, and a report without files is accepted."""
    site = form_with(store.environment(**wrong))
    page = post_form(browser, site.address(), action="send-anyway", files={"a.pdf": PDF})
    assert page.status_code == 503
    assert "retry-after" in page.headers
    assert "chưa lưu được tệp đính kèm" in page.text
    assert ANSWERS["sections.results"] in page.text
    assert await site.events() == []
    assert store.objects() == {}
    assert 'intake_form_requests_total{outcome="unkept"} 1.0' in browser.get(f"{site.intake.url}/metrics").text
    line = next(line for line in site.intake.log_lines() if line.get("action") == "attachment_failed")
    assert "403" in str(line) or "NoSuchBucket" in str(line)
    assert store.environment()["AWS_SECRET_ACCESS_KEY"] not in str(line)
    assert post_form(browser, site.address(), action="send-anyway").status_code == 303


async def test_a_store_that_goes_away_between_check_and_send_loses_nothing(
    browser: httpx.Client, store: ObjectStore, form_with: Callable[[dict[str, str]], Site]
) -> None:
    """If files cannot be moved, the page keeps answers and files, and no report without its files is recorded."""
    site = form_with(store.environment())
    checked = post_form(browser, site.address(), action="check", files={"a.pdf": PDF})
    token = checked.text.split('name="kept" value="')[1].split('"')[0]
    store.kill()
    page = post_form(browser, site.address(), kept=token)
    assert page.status_code == 503
    assert "vui lòng gửi lại sau ít phút" in page.text
    assert token in page.text
    assert ANSWERS["sections.results"] in page.text
    assert await site.events() == []
