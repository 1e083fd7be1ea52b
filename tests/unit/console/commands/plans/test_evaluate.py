"""`dondoc evaluate`: each question answered in order, or refused with its place."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.console.main import app
from tests.support.assertions.spec import rfc3339
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import Json, a_submission, a_version, a_withdrawal, an_agency, an_event

LATER = "2025-06-01T00:00:00+07:00"
ASKED: Json = {"agency": "h-mot", "obligation": "results", "period": "2024", "at": LATER}


def stamp_times(event: Json, received: str, recorded: str | None = None) -> Json:
    """Return the event with its times of receipt and record, as the log holds it."""
    times = {"receivedtime": rfc3339(received)} | ({"recordedtime": rfc3339(recorded)} if recorded else {})
    return event | times


def lines(*rows: object) -> str:
    """Return JSON lines; an item that is text already is taken as it is."""
    return "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)


def run_evaluate(folder: Path, facts: str | bytes, *questions: object) -> Result:
    """Run `dondoc evaluate` on *folder* over these lines."""
    paths = folder / "facts.jsonl", folder / "queries.jsonl"
    paths[0].write_bytes(facts if isinstance(facts, bytes) else facts.encode())
    paths[1].write_text(lines(*questions))
    command = ["evaluate", str(folder), "--facts", str(paths[0]), "--query", str(paths[1])]
    return CliRunner().invoke(app, command)


def answers(result: Result) -> list[Json]:
    """Return the rows on stdout."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


class TestAnswer:
    """The query's fields and everything the contract names."""

    def test_it_has_exactly_the_fields_of_the_contract(self, tmp_path: Path) -> None:
        """An answer has the fields of the contract, with instants in the plan's zone to the millisecond."""
        facts = lines(stamp_times(a_submission(), "2024-12-01 08:00"))
        assert answers(run_evaluate(a_folder(tmp_path), facts, ASKED)) == [
            ASKED
            | {
                "known_at": LATER,
                "status": "on_time",
                "due_at": "2024-12-10T00:00:00.000+07:00",
                "effective_at": "2024-12-01T08:00:00.000+07:00",
                "submissions": 1,
                "flags": [],
                "missing": [],
                "citation": {"source": "kh", "clause": "III.1", "quote": "gửi kết quả trước ngày 10 tháng 12 hàng năm"},
                "plan_version": 1,
                "evidence": ["s-1"],
            }
        ]

    def test_questions_are_answered_in_order(self, tmp_path: Path) -> None:
        """There is one answer a query line, in their order; blank lines are skipped."""
        asked = [ASKED | {"agency": agency} for agency in ("h-ba", "h-mot", "h-hai")]
        found = answers(run_evaluate(a_folder(tmp_path), "", asked[0], "", *asked[1:]))
        assert [one["agency"] for one in found] == ["h-ba", "h-mot", "h-hai"]

    def test_the_question_comes_back_as_it_was_put(self, tmp_path: Path) -> None:
        """The answer repeats the query's own alias, offset and extra fields unchanged."""
        folder = a_folder(tmp_path, agencies=[an_agency("h-mot", aliases=["H56.1"])])
        asked = ASKED | {"agency": "H56.1", "at": "2024-12-09T17:00:00Z", "remark": "\u2028 hỏi"}
        [found] = answers(run_evaluate(folder, "", asked))
        assert {key: found[key] for key in asked} == asked
        assert (found["status"], found["known_at"]) == ("overdue", asked["at"])

    @pytest.mark.parametrize(
        "known_at, status",
        [
            ("2024-12-11T00:00:00+07:00", "overdue"),
            ("2024-12-20T08:00:00+07:00", "on_time"),
            (None, "on_time"),
        ],
    )
    def test_known_at_asks_what_was_known_then(self, tmp_path: Path, known_at: str | None, status: str) -> None:
        """A report that reached the log late counts only from then on; the default of `known_at` is `at`."""
        facts = lines(stamp_times(a_submission(), "2024-12-09 23:00", "2024-12-20 08:00"))
        [found] = answers(run_evaluate(a_folder(tmp_path), facts, ASKED | {"known_at": known_at}))
        assert found["status"] == status
        assert found["known_at"] == (known_at or LATER)

    def test_a_one_off_duty_is_asked_without_a_period(self, tmp_path: Path) -> None:
        """A period that is left out, null or empty asks about a one-off duty."""
        folder = a_folder(tmp_path, versions=[a_version(recurrence="once", due=None, reminders={})])
        asked: Json = {key: ASKED[key] for key in ("agency", "obligation", "at")}
        found = answers(run_evaluate(folder, "", asked, asked | {"period": None}, asked | {"period": ""}))
        assert [one["status"] for one in found] == ["open"] * 3
        assert [one["period"] for one in found] == [None, None, ""]

    def test_an_instant_before_the_duty_is_answered(self, tmp_path: Path) -> None:
        """Before its opening a duty is not applicable and has no due instant."""
        [found] = answers(run_evaluate(a_folder(tmp_path), "", ASKED | {"at": "2020-01-01T00:00:00Z"}))
        assert (found["status"], found["due_at"], found["effective_at"]) == ("not_applicable", None, None)

    def test_a_fact_by_alias_counts(self, tmp_path: Path) -> None:
        """A fact under an alias of the agency counts for the agency."""
        folder = a_folder(tmp_path, agencies=[an_agency("h-mot", aliases=["H56.1"])])
        facts = lines(stamp_times(a_submission(data={"agency": "H56.1"}), "2024-12-01 08:00"))
        assert answers(run_evaluate(folder, facts, ASKED))[0]["status"] == "on_time"


class TestFacts:
    """Every line of the log is a fact, an event of another kind, or an error."""

    def test_a_log_in_any_order_gives_the_same_answer(self, tmp_path: Path) -> None:
        """Facts in another order and repeated give the same answer."""
        log = [
            stamp_times(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00"),
            stamp_times(a_submission("s-2"), "2024-12-06 08:00"),
            stamp_times(a_submission("s-1"), "2024-12-01 08:00"),
        ]
        folder = a_folder(tmp_path)
        assert answers(run_evaluate(folder, lines(*log), ASKED)) == answers(
            run_evaluate(folder, lines(*log[::-1], *log), ASKED)
        )

    def test_what_is_no_fact_of_this_plan_is_passed_over(self, tmp_path: Path) -> None:
        """Facts of another plan and events of other types are skipped without a message."""
        others = [
            stamp_times(a_submission(data={"plan": "P-2"}), "2024-12-01 08:00"),
            an_event("vn.dondoc.duty.assessed.v1", "v-1", {"agency": "h-mot"}),
        ]
        result = run_evaluate(a_folder(tmp_path), lines(*others), ASKED)
        assert answers(result)[0]["submissions"] == 0
        assert result.stderr == ""

    def test_a_fact_about_no_duty_is_named_and_counts_for_nothing(self, tmp_path: Path) -> None:
        """A fact about an unknown agency is named on stderr and counts for nothing."""
        facts = lines(stamp_times(a_submission(data={"agency": "h-bon"}), "2024-12-01 08:00"))
        result = run_evaluate(a_folder(tmp_path), facts, ASKED)
        assert answers(result)[0]["status"] == "overdue"
        assert "facts.jsonl:1: agency: 'h-bon' is not in registry th@1" in result.stderr

    @pytest.mark.parametrize("encoded", ["utf-8-sig", "utf-8"])
    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_a_file_from_any_editor_is_read(self, tmp_path: Path, encoded: str, ending: str) -> None:
        """A file may have a byte order mark, either end of line, and any Unicode separator inside a text."""
        event = stamp_times(a_submission(data={"note": "a\u2028b\x85c"}), "2024-12-01 08:00")
        text = json.dumps(event, ensure_ascii=False) + ending
        assert answers(run_evaluate(a_folder(tmp_path), text.encode(encoded), ASKED))[0]["status"] == "on_time"

    @pytest.mark.parametrize(
        "line, message",
        [
            ("nonsense", "facts.jsonl:2: /: JSON is malformed"),
            ("[1, 2]", "facts.jsonl:2: /: Expected `object`"),
            ('{"id": "a"}', "facts.jsonl:2: /: Object missing required field `source`"),
            (a_submission(), "facts.jsonl:2: /receivedtime: a recorded fact says when it was received"),
            (
                stamp_times(a_submission(), "2024-12-01 08:00") | {"receivedtime": "2024-12-01T08:00:00"},
                "has no offset",
            ),
            (
                stamp_times(a_submission(data={"period": 2024}), "2024-12-01 08:00"),
                "facts.jsonl:2: /data/period: Expected",
            ),
            ("[" * 100_000, "facts.jsonl:2: /: "),
        ],
    )
    def test_a_line_that_cannot_be_read_is_refused_with_its_place(
        self, tmp_path: Path, line: object, message: str
    ) -> None:
        """An unreadable line exits 2 and nothing is answered."""
        facts = lines(stamp_times(a_submission(), "2024-12-01 08:00"), line)
        result = run_evaluate(a_folder(tmp_path), facts, ASKED)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr

    def test_text_that_is_not_utf8_is_refused_with_its_line(self, tmp_path: Path) -> None:
        """A file in another encoding than UTF-8 exits 2 and names the line."""
        result = run_evaluate(a_folder(tmp_path), b'{}\n"\xe0\x20"\n', ASKED)
        assert result.exit_code == 2
        assert "facts.jsonl:2: not UTF-8 text" in result.stderr


class TestQuestions:
    """A query that fits no duty is refused with its line and the field to correct."""

    @pytest.mark.parametrize(
        "question, message",
        [
            ("{", "queries.jsonl:1: not JSON: "),
            ("[]", "queries.jsonl:1: a JSON object is wanted on each line"),
            ('{"at": NaN}', "queries.jsonl:1: not JSON: NaN is no JSON number"),
            ('{"at": ' + "9" * 5000 + "}", "queries.jsonl:1: not JSON: "),
            ("[" * 100_000, "queries.jsonl:1: not JSON: nested too deeply"),
            ({}, "queries.jsonl:1: agency is missing or is no text"),
            (ASKED | {"obligation": 3}, "queries.jsonl:1: obligation is missing or is no text"),
            (ASKED | {"period": 2024}, "queries.jsonl:1: period: write it as text"),
            (ASKED | {"period": "2024-Q1"}, "queries.jsonl:1: period: '2024-Q1' does not fit the recurrence"),
            (ASKED | {"period": "٢٠٢٤"}, "queries.jsonl:1: period: '٢٠٢٤' is not a reporting period"),
            (ASKED | {"at": "2024-12-10"}, "queries.jsonl:1: at: '2024-12-10' has no offset"),
            (ASKED | {"at": "soon"}, "queries.jsonl:1: at: 'soon' is not an RFC 3339 instant"),
            (ASKED | {"known_at": 3}, "queries.jsonl:1: known_at: '3' is not an RFC 3339 instant"),
            (ASKED | {"agency": "h-bon"}, "queries.jsonl:1: agency: 'h-bon' is not in registry th@1"),
            (ASKED | {"obligation": "x"}, "queries.jsonl:1: obligation: 'x' is not in plan P-1@1"),
        ],
    )
    def test_it_is_refused_before_anything_is_answered(self, tmp_path: Path, question: object, message: str) -> None:
        """A faulty query exits 2 and leaves stdout empty, even if other queries are sound."""
        result = run_evaluate(a_folder(tmp_path), "", question, ASKED)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr


class TestFolder:
    """The plan and registry are checked first."""

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        """A missing file exits 2 and gives the operating system's reason."""
        result = run_evaluate(tmp_path, "", ASKED)
        assert result.exit_code == 2
        assert "plan.yaml: No such file or directory" in result.stderr

    def test_a_fault_of_the_plan_is_named_by_line(self, tmp_path: Path) -> None:
        """A fault of the plan is named at its line, as `dondoc check` names it."""
        folder = a_folder(tmp_path)
        (folder / "plan.yaml").write_text("plan: P-1\nversion: none\n")
        result = run_evaluate(folder, "", ASKED)
        assert result.exit_code == 2
        assert "plan.yaml:2: version: " in result.stderr

    def test_a_plan_that_does_not_fit_the_registry_is_refused(self, tmp_path: Path) -> None:
        """A plan that names a group unknown to the registry exits 2."""
        folder = a_folder(tmp_path)
        text = (folder / "plan.yaml").read_text().replace("huyen", "xa")
        (folder / "plan.yaml").write_text(text)
        result = run_evaluate(folder, "", ASKED)
        assert result.exit_code == 2
        assert "unknown group or agency 'xa'" in result.stderr
