"""`dondoc simulate`: every alert that would go out, in order, as known then, from the functions that send it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.assertions.spec import rfc3339
from tests.support.builders.plan_folders import a_folder, write_documents
from tests.support.builders.plans import Json, a_plan, a_registry, a_submission, a_version, a_withdrawal, an_obligation

HEADER = "agency,channel,address,role,language,from,to\n"
MAIL = "h-mot,email,van-thu@mot.example,,vi,,\n"
SPAN = ("2024-11-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00")


def run_simulate(
    folder: Path, *events: Json, contacts: str = MAIL, span: tuple[str, str] = SPAN, more: tuple[str, ...] = ()
) -> Result:
    """Run `dondoc simulate` over these facts, contacts and instants."""
    facts, people = folder / "facts.jsonl", folder / "contacts.csv"
    facts.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    people.write_text(HEADER + contacts)
    files = ["--facts", str(facts), "--contacts", str(people)]
    return CliRunner().invoke(app, ["simulate", str(folder), *files, "--from", span[0], "--to", span[1], *more])


def alerts(result: Result) -> list[Json]:
    """Return the rows on stdout."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def steps(result: Result) -> list[str]:
    """Return instant, channel, kind and step of each alert."""
    return [f"{one['at'][5:16]} {one['channel']} {one['kind']} {one['step']}" for one in alerts(result)]


def stamp_received(event: Json, at: str) -> Json:
    """Return the event with its time of receipt, as the log holds it."""
    return event | {"receivedtime": rfc3339(at)}


def test_a_line_has_exactly_the_fields_of_the_contract(tmp_path: Path) -> None:
    """A mail's row has the instant in the plan's zone, the duty, subject and text, and no segments."""
    first = alerts(run_simulate(a_folder(tmp_path)))[0]
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
    assert first["subject"].startswith("Hạn 09/12/2024, còn 6 ngày – ")
    assert "chậm nhất ngày 09/12/2024" in first["body"]
    assert first["segments"] is None


def test_a_silent_agency_gets_every_alert_in_the_sending_hours(tmp_path: Path) -> None:
    """A silent agency gets two reminders and two urgings of this year, and nothing about the years before."""
    assert steps(run_simulate(a_folder(tmp_path))) == [
        "12-03T07:30 email reminder P7D",
        "12-09T07:30 email reminder P1D",
        "12-10T07:30 email urging PT0S",
        "12-13T07:30 email urging P3D",
    ]


def test_an_sms_has_segments_and_no_subject(tmp_path: Path) -> None:
    """An SMS has one segment, ASCII letters only and no subject."""
    first = alerts(run_simulate(a_folder(tmp_path), contacts="h-mot,sms,0912345678,,vi,,\n"))[0]
    assert (first["channel"], first["subject"], first["segments"]) == ("sms", None, 1)
    assert first["body"].isascii()


def test_a_report_ends_the_alerts_from_when_it_was_known(tmp_path: Path) -> None:
    """After a report of 5 December the reminder of the 3rd has gone out, and that of the 9th does not."""
    report = stamp_received(a_submission(), "2024-12-05 08:00")
    assert steps(run_simulate(a_folder(tmp_path), report)) == ["12-03T07:30 email reminder P7D"]


def test_a_report_recorded_late_does_not_unsend_what_went_out_before(tmp_path: Path) -> None:
    """A report received on 5 December but recorded on the 11th does not stop the alerts between the two."""
    report = stamp_received(a_submission(), "2024-12-05 08:00") | {"recordedtime": rfc3339("2024-12-11 08:00")}
    assert steps(run_simulate(a_folder(tmp_path), report)) == [
        "12-03T07:30 email reminder P7D",
        "12-09T07:30 email reminder P1D",
        "12-10T07:30 email urging PT0S",
    ]


def test_an_incomplete_report_is_answered_with_what_it_lacks(tmp_path: Path) -> None:
    """The alert about an incomplete report goes out at once within the sending hours and names what is missing."""
    report = stamp_received(a_submission(data={"content": _without_sections()}), "2024-12-05 09:00")
    first = alerts(run_simulate(a_folder(tmp_path), report))[1]
    assert (first["at"], first["kind"]) == ("2024-12-05T09:00:00.000+07:00", "incomplete")
    assert "phần “results”" in first["body"]


def test_a_withdrawal_makes_the_reminder_due_again(tmp_path: Path) -> None:
    """A report of the 1st that is withdrawn on the 6th stops the reminder of the 3rd, but not that of the 9th."""
    report = stamp_received(a_submission("s-1"), "2024-12-01 08:00")
    withdrawal = stamp_received(a_withdrawal("w-1", "s-1"), "2024-12-06 08:00")
    assert "12-09T07:30 email reminder P1D" in steps(run_simulate(a_folder(tmp_path), report, withdrawal))


def test_a_simulation_that_begins_later_prints_nothing_of_before(tmp_path: Path) -> None:
    """The span is half-open: an alert at its first instant is printed, one at its last is not."""
    span = ("2024-12-09T07:30:00+07:00", "2024-12-13T07:30:00+07:00")
    assert [one[:11] for one in steps(run_simulate(a_folder(tmp_path), span=span))] == ["12-09T07:30", "12-10T07:30"]


def test_an_alert_with_nobody_to_go_to_goes_out_when_a_contact_holds(tmp_path: Path) -> None:
    """A contact from 5 December on gets the reminder of the 3rd then; one from the 11th gets the urging alone."""
    later = "h-mot,email,van-thu@mot.example,,vi,2024-12-05,\n"
    assert steps(run_simulate(a_folder(tmp_path), contacts=later))[:2] == [
        "12-05T07:30 email reminder P7D",
        "12-09T07:30 email reminder P1D",
    ]
    much_later = "h-mot,email,van-thu@mot.example,,vi,2024-12-11,\n"
    assert steps(run_simulate(a_folder(tmp_path), contacts=much_later)) == [
        "12-11T07:30 email urging PT0S",
        "12-13T07:30 email urging P3D",
    ]


def test_an_agency_that_nobody_would_reach_is_named_on_stderr(tmp_path: Path) -> None:
    """An agency without a contact is named on stderr with the number of its alerts."""
    result = run_simulate(a_folder(tmp_path))
    assert "h-hai: 4 alert(s) would reach nobody" in result.stderr


@pytest.mark.parametrize(
    ("contacts", "span", "place"),
    [
        ("h-mot,fax,1,,,,\n", SPAN, "contacts.csv:2"),
        (MAIL, ("2024-11-01", SPAN[1]), "--from"),
        (MAIL, (SPAN[0], "2025-01-01T00:00:00"), "--to"),
        (MAIL, (SPAN[1], SPAN[0]), "--to: "),
    ],
)
def test_unusable_input_is_named_and_ends_with_2(
    tmp_path: Path, contacts: str, span: tuple[str, str], place: str
) -> None:
    """Unusable input exits 2 and names the file and line, or the option."""
    result = run_simulate(a_folder(tmp_path), contacts=contacts, span=span)
    assert (result.exit_code, place in result.stderr) == (2, True)


def _without_sections() -> Json:
    return {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}


HOLIDAYS = ("2026-04-20T00:00:00+07:00", "2026-05-20T00:00:00+07:00")


def a_monthly_version(**changes: object) -> Json:
    """Return a version that is due as 5 May 2026 begins, for April."""
    usual: Json = {
        "recurrence": "month",
        "due": {"offset": "P4D"},
        "reminders": {"before": ["P5D", "P1D"], "after": ["PT0S"]},
    }
    return a_version(**(usual | changes))


def test_alerts_keep_to_working_days(tmp_path: Path) -> None:
    """Case s09: P5D falls on 30 April and goes out on the 29th, nothing goes out on the holidays, P1D on Monday."""
    assert steps(run_simulate(a_folder(tmp_path, versions=[a_monthly_version()]), span=HOLIDAYS)) == [
        "04-29T07:30 email reminder P5D",
        "05-04T07:30 email reminder P1D",
        "05-05T07:30 email urging PT0S",
    ]


def test_an_urging_that_waits_past_the_end_of_the_office_is_for_its_successor(tmp_path: Path) -> None:
    """Called for on Saturday, it goes out on Monday; the office was merged on Sunday. That of Friday was its own."""
    version = a_version(reminders={"after": ["P3D", "P4D"]})
    merger = {"type": "merge_into", "from": ["h-mot"], "to": ["h-hai"], "on": "2024-12-15", "act": "NQ 1"}
    plan, registry = a_plan(an_obligation(version)), a_registry(successions=[merger])
    folder = write_documents(tmp_path, plan, registry)
    found = alerts(run_simulate(folder, contacts=MAIL + "h-hai,email,van-thu@hai.example,,vi,,\n"))
    own = [one for one in found if "h-mot" in {duty["agency"] for duty in one["duties"]}]
    assert [(one["at"][5:16], one["to_agency"], one["step"]) for one in own] == [
        ("12-13T07:30", "h-mot", "P3D"),
        ("12-16T07:30", "h-hai", "P4D"),
    ]
    assert "của UBND huyện h-mot" in own[1]["body"]


def test_an_urging_of_the_holidays_waits_for_the_working_day_after(tmp_path: Path) -> None:
    """A duty due as 1 May begins is urged on Monday 4 May."""
    version = a_monthly_version(due={}, reminders={"after": ["PT0S", "P1D"]})
    assert steps(run_simulate(a_folder(tmp_path, versions=[version]), span=HOLIDAYS)) == [
        "05-04T07:30 email urging P1D",
    ]


def test_the_first_urging_settles_and_repetitions_end(tmp_path: Path) -> None:
    """Due at 17:00 of Wednesday 29 April, two hours of sending time later is 09:00 of Monday 4 May; then twice more."""
    version = a_monthly_version(
        due={"day": 29, "time": "17:00"},
        reminders={"after": ["PT0S"], "then_every": "P7D", "at_most": 2, "settle": "PT2H"},
    )
    found = steps(run_simulate(a_folder(tmp_path, versions=[version]), span=HOLIDAYS))
    assert found == ["05-04T09:00 email urging PT0S", "05-06T17:00 email urging P7D", "05-13T17:00 email urging P14D"]


def test_notices_go_out_where_the_plan_asks_for_them(tmp_path: Path) -> None:
    """An opening on the first working day of a period, a receipt when the report is complete, nothing afterwards.

    For April, which opens on the 29th, the reminder of that morning says all that the opening would.
    """
    version = a_monthly_version(reminders={"before": ["P5D"], "after": ["PT0S"], "notices": ["opening", "received"]})
    filed = a_submission("s-1", data={"period": "2026-05"})
    span = ("2026-04-28T00:00:00+07:00", "2026-06-20T00:00:00+07:00")
    found = steps(
        run_simulate(
            a_folder(tmp_path, versions=[version | {"from": "2026-04-29"}]),
            stamp_received(filed, "2026-05-23 10:00"),
            span=span,
        )
    )
    assert [one for one in found if "opening" in one or "received" in one] == [
        "05-04T07:30 email season-opening opening",
        "05-25T07:30 email received received:s-1",
        "06-01T07:30 email season-opening opening",
    ]


def test_a_summary_counts_by_agency_and_day_with_price_floods_and_moves(tmp_path: Path) -> None:
    """The sums of agencies, of days and of all agree; a reminder of a Sunday is told as moved to the Friday."""
    both = MAIL + "h-mot,sms,+84912345678,,vi,,\n"
    reminders = {"before": ["P9D", "P8D", "P7D", "P6D", "P5D", "P4D"], "after": ["PT0S"]}
    folder = a_folder(tmp_path, versions=[a_version(reminders=reminders)])
    rows = alerts(run_simulate(folder, contacts=both, more=("--summary", "--sms-price", "320.5")))
    by_kind = {kind: [one for one in rows if one["summary"] == kind] for kind in ("agency", "day", "flood", "moved")}
    (total,) = [one for one in rows if one["summary"] == "total"]
    sums = [sum(one["mails"] for one in by_kind[kind]) for kind in ("day", "agency")]
    assert sums == [total["mails"]] * 2
    assert float(total["price"]) == 320.5 * total["segments"]
    assert {one["channel"] for one in by_kind["flood"]} == {"email", "sms"}
    assert ("2024-12-01", "2024-11-29") in {(one["called_on"], one["sent_on"]) for one in by_kind["moved"]}


def test_a_summary_tells_what_the_officer_reads_each_week_of_the_season(tmp_path: Path) -> None:
    """From the Monday of the first reminder on; 2 December tells what is coming, the 16th what is overdue.

    h-mot has a contact; h-hai and h-ba have none, which the digest says as well. It is no alert, and in no sum.
    """
    folder = a_folder(tmp_path, versions=[a_version(**{"from": "2024-01-01"})])
    rows = alerts(run_simulate(folder, more=("--summary",)))
    digests = {one["day"]: one for one in rows if one["summary"] == "officer-digest"}
    assert list(digests) == ["2024-12-02", "2024-12-09", "2024-12-16", "2024-12-23", "2024-12-30"]
    assert (digests["2024-12-02"]["coming"], digests["2024-12-02"]["unreached"]) == (3, 2)
    assert [digests["2024-12-16"][name] for name in ("overdue", "coming", "planned")] == [3, 0, 0]
    (total,) = [one for one in rows if one["summary"] == "total"]
    assert total["mails"] == 4


def test_the_officer_s_digest_is_no_line_among_the_alerts(tmp_path: Path) -> None:
    """It is about a plan and no duty, so the fields of a line have no room for it."""
    lines = alerts(run_simulate(a_folder(tmp_path)))
    assert {one["to_agency"] for one in lines} == {"h-mot"}


def test_a_price_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """The error names the option and shows how to write it."""
    run = run_simulate(a_folder(tmp_path), more=("--summary", "--sms-price", "ba tram"))
    assert run.exit_code == 2
    assert "--sms-price" in run.stderr
