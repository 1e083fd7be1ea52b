"""`dondoc simulate`: every alert that would go out, in order, as known then, from the functions that send it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.assertions.spec import rfc3339
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import Json, a_submission, a_withdrawal

HEADER = "agency,channel,address,role,language,from,to\n"
MAIL = "h-mot,email,van-thu@mot.example,,vi,,\n"
SPAN = ("2024-11-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00")


def simulated(folder: Path, *events: Json, contacts: str = MAIL, span: tuple[str, str] = SPAN) -> Result:
    """The run of the command over these facts, contacts and instants."""
    facts, people = folder / "facts.jsonl", folder / "contacts.csv"
    facts.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    people.write_text(HEADER + contacts)
    files = ["--facts", str(facts), "--contacts", str(people)]
    return CliRunner().invoke(app, ["simulate", str(folder), *files, "--from", span[0], "--to", span[1]])


def alerts(result: Result) -> list[Json]:
    """What went to stdout."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def steps(result: Result) -> list[str]:
    """When, on which channel and why."""
    return [f"{one['at'][5:16]} {one['channel']} {one['kind']} {one['step']}" for one in alerts(result)]


def received(event: Json, at: str) -> Json:
    """The event as the log holds it."""
    return event | {"receivedtime": rfc3339(at)}


def test_a_line_has_exactly_the_fields_of_the_contract(tmp_path: Path) -> None:
    """The instant in the plan's zone, the duty, the subject and text of the mail, no segments."""
    first = alerts(simulated(a_folder(tmp_path)))[0]
    assert list(first) == ["at", "channel", "to_agency", "kind", "step", "duties", "subject", "body", "segments"]
    assert (first["at"], first["to_agency"]) == ("2024-12-03T07:30:00.000+07:00", "h-mot")
    assert first["duties"] == [
        {
            "agency": "h-mot",
            "obligation": "results",
            "period": "2024",
            "kind": "reminder",
            "step": "P7D",
            "due_at": "2024-12-10T00:00:00.000+07:00",
        }
    ]
    assert first["subject"].startswith("Nhắc hạn")
    assert "hạn cuối: hết ngày 09/12/2024" in first["body"]
    assert first["segments"] is None


def test_a_silent_agency_hears_every_step_in_the_sending_hours(tmp_path: Path) -> None:
    """Two reminders and two urgings of this year, none of the years before."""
    assert steps(simulated(a_folder(tmp_path))) == [
        "12-03T07:30 email reminder P7D",
        "12-09T07:30 email reminder P1D",
        "12-10T07:30 email urging PT0S",
        "12-13T07:30 email urging P3D",
    ]


def test_an_sms_has_segments_and_no_subject(tmp_path: Path) -> None:
    """One part, without marks."""
    first = alerts(simulated(a_folder(tmp_path), contacts="h-mot,sms,0912345678,,vi,,\n"))[0]
    assert (first["channel"], first["subject"], first["segments"]) == ("sms", None, 1)
    assert first["body"].isascii()


def test_a_report_ends_the_alerts_from_when_it_was_known(tmp_path: Path) -> None:
    """Sent on 5 December: the reminder of the 3rd went out, that of the 9th does not."""
    report = received(a_submission(), "2024-12-05 08:00")
    assert steps(simulated(a_folder(tmp_path), report)) == ["12-03T07:30 email reminder P7D"]


def test_a_report_recorded_late_does_not_unsend_what_went_out_before(tmp_path: Path) -> None:
    """Received on 5 December, known on the 11th: the agency was reminded and urged meanwhile, as known then."""
    report = received(a_submission(), "2024-12-05 08:00") | {"recordedtime": rfc3339("2024-12-11 08:00")}
    assert steps(simulated(a_folder(tmp_path), report)) == [
        "12-03T07:30 email reminder P7D",
        "12-09T07:30 email reminder P1D",
        "12-10T07:30 email urging PT0S",
    ]


def test_an_incomplete_report_is_answered_with_what_it_lacks(tmp_path: Path) -> None:
    """By name, and at once within the sending hours."""
    report = received(a_submission(data={"content": _without_sections()}), "2024-12-05 09:00")
    first = alerts(simulated(a_folder(tmp_path), report))[1]
    assert (first["at"], first["kind"]) == ("2024-12-05T09:00:00.000+07:00", "incomplete")
    assert "nội dung phần “results”" in first["body"]


def test_a_withdrawal_wakes_the_reminder_again(tmp_path: Path) -> None:
    """On file on the 1st, taken back on the 6th: the reminder of the 3rd was not due then, that of the 9th is."""
    report = received(a_submission("s-1"), "2024-12-01 08:00")
    withdrawal = received(a_withdrawal("w-1", "s-1"), "2024-12-06 08:00")
    assert "12-09T07:30 email reminder P1D" in steps(simulated(a_folder(tmp_path), report, withdrawal))


def test_a_rehearsal_that_begins_later_tells_nothing_of_before(tmp_path: Path) -> None:
    """Half-open: what falls on the first instant is told, on the last not."""
    span = ("2024-12-09T07:30:00+07:00", "2024-12-13T07:30:00+07:00")
    assert [one[:11] for one in steps(simulated(a_folder(tmp_path), span=span))] == ["12-09T07:30", "12-10T07:30"]


def test_whoever_nobody_would_reach_is_told_beside_the_data(tmp_path: Path) -> None:
    """On stderr, with how many alerts."""
    result = simulated(a_folder(tmp_path))
    assert "h-hai: 4 alert(s) would reach nobody" in result.stderr


@pytest.mark.parametrize(
    ("contacts", "span", "place"),
    [
        ("h-mot,fax,1,,,,\n", SPAN, "contacts.csv:2"),
        (MAIL, ("2024-11-01", SPAN[1]), "--from"),
        (MAIL, (SPAN[0], "2025-01-01T00:00:00"), "--to"),
    ],
)
def test_unusable_input_is_named_and_ends_with_2(
    tmp_path: Path, contacts: str, span: tuple[str, str], place: str
) -> None:
    """The file and line, or the option."""
    result = simulated(a_folder(tmp_path), contacts=contacts, span=span)
    assert (result.exit_code, place in result.stderr) == (2, True)


def _without_sections() -> Json:
    return {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
