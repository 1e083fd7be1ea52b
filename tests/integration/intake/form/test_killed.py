"""The form survives kill -9 anywhere on a file's way: sent again, the report is one event whose file is there."""

from dataclasses import replace

import httpx
import pytest

from tests.integration.intake.form.test_attachments import a_file, files_in, kept_at
from tests.support.clients.form import PDF, SECRET, Site, post_form
from tests.support.faults.fault_plan import kill_after, kill_before
from tests.support.servers.intake import IntakeFiles
from tests.support.servers.services import Launch

ATTACHMENTS = "services.intake.form.attachments"
POINTS = {
    "before the file is put by": kill_before("obstore", "put_async"),
    "when it lies there": kill_after("obstore", "put_async"),
    "before it is moved": kill_before("obstore", "rename_async"),
    "when it is moved": kill_after("obstore", "rename_async"),
    "when it is kept": kill_after(ATTACHMENTS, "AttachmentStore.make_permanent"),
    "when the event is in the log": kill_after("services.intake.form.submit_report", "SubmitReport.submit"),
}


@pytest.mark.parametrize("fault", POINTS.values(), ids=POINTS)
async def test_a_form_sent_again_after_a_kill_is_one_event_with_its_file(
    fault: str, site: Site, launch: Launch, intake_files: IntakeFiles
) -> None:
    """After a kill, sending the form again gives one event, and its file is stored under its digest."""
    folder = intake_files.folder / "attachments"
    settings = {
        **intake_files.environment,
        "DONDOC_KAFKA_BOOTSTRAP": site.bus.bootstrap,
        "DONDOC_CLOCK": f"steered:{site.clock}",
        "DONDOC_FORM_KEY": SECRET,
        "DONDOC_INTAKE_ATTACHMENTS": str(folder),
        "DONDOC_INTAKE_RULES_URL": "http://127.0.0.1:9",
    }
    doomed = launch("intake", faults=[fault], **settings)
    with httpx.Client(timeout=30) as browser:
        with pytest.raises(httpx.TransportError):
            post_form(browser, replace(site, intake=doomed).address(), files={"a.pdf": PDF})
        await doomed.wait_until_ended()
        survivor = replace(site, intake=launch("intake", **settings))
        assert post_form(browser, survivor.address(), files={"a.pdf": PDF}).status_code == 303
    (event,) = await site.events()
    assert [one["sha256"] for one in event["data"]["attachments"]] == [a_file().sha256]
    assert kept_at(folder, a_file()).read_bytes() == PDF
    assert set(files_in(folder).values()) == {PDF}
