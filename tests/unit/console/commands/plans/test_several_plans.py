"""Several plan folders at once: one registry or several, questions that name a plan, one digest from all plans."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.plan.plan import Plan
from services.console.main import app
from tests.support.assertions.spec import rfc3339
from tests.support.builders.plan_folders import write_documents
from tests.support.builders.plans import (
    Json,
    a_plan,
    a_registry,
    a_submission,
    a_version,
    an_agency,
    an_obligation,
)

LATER = "2025-01-15T00:00:00+07:00"
ASKED: Json = {"agency": "h-mot", "obligation": "results", "period": "2024", "at": LATER}


def a_report(event: str, on: str, *, plan: str = "P-1", obligation: str = "results", **data: object) -> Json:
    """Build a report as the log holds it."""
    fields = {"plan": plan, "obligation": obligation, **data}
    times = {"receivedtime": rfc3339(on), "recordedtime": rfc3339(on)}
    return a_submission(event, data=fields, subject=fields.get("agency", "h-mot")) | times


def write_lines(path: Path, *rows: Json) -> str:
    """Write JSON lines and return the path as text."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def a_second_plan(**changes: object) -> Plan:
    """Build a plan that stands beside the usual one, with an obligation of the same name."""
    return a_plan(
        **{"plan": "P-2", "title": {"vi": "Kế hoạch hai"}, "sources": [{"id": "kh", "number": "2/KH"}]} | changes
    )


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """The usual plan and a second one, which share the registry in the first folder."""
    write_documents(tmp_path / "one", a_plan(), a_registry())
    write_documents(tmp_path / "two", a_second_plan())
    return [str(tmp_path / "one"), str(tmp_path / "two")]


def run(command: str, folders: list[str], *options: str) -> Result:
    """Run a command of `dondoc` over the folders."""
    return CliRunner().invoke(app, [command, *folders, *options])


def rows(result: Result) -> list[Json]:
    """Return the rows on stdout."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


class TestEvaluate:
    """A question names the plan where several have its obligation; each answer says which plan it is about."""

    def ask(self, folders: list[str], *questions: Json) -> Result:
        """Ask about a report under the first plan."""
        folder = Path(folders[0])
        facts = write_lines(folder / "f.jsonl", a_report("s-1", "2024-12-01 08:00"))
        return run("evaluate", folders, "--facts", facts, "--query", write_lines(folder / "q.jsonl", *questions))

    def test_the_plan_of_a_question_decides(self, folders: list[str]) -> None:
        """The report counts under the plan that it was sent under, and not under the other."""
        found = rows(self.ask(folders, *({**ASKED, "plan": plan} for plan in ("P-1", "P-2"))))
        assert [(one["plan"], one["status"]) for one in found] == [("P-1", "on_time"), ("P-2", "overdue")]

    def test_a_question_that_could_mean_either_is_refused(self, folders: list[str]) -> None:
        """The message names both plans and the remedy, and nothing is answered."""
        refused = self.ask(folders, ASKED)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "q.jsonl:1: obligation: 'results' stands in P-1 and P-2; say which one with `plan`" in refused.stderr

    def test_a_plan_that_is_not_given_is_refused(self, folders: list[str]) -> None:
        """The plans that are given are named."""
        refused = self.ask(folders, {**ASKED, "plan": "P-9"})
        assert "q.jsonl:1: plan: 'P-9' is none of the plans given: P-1, P-2" in refused.stderr

    def test_no_plan_is_needed_where_one_has_the_obligation(self, folders: list[str], tmp_path: Path) -> None:
        """The answer says which plan that is."""
        write_documents(tmp_path / "two", a_second_plan(obligations=[an_obligation(id="other")]))
        (found,) = rows(self.ask(folders, {**ASKED, "obligation": "other"}))
        assert (found["plan"], found["status"]) == ("P-2", "overdue")


class TestSharedRegistry:
    """A folder without a registry takes the one of that id: from another folder, the folder above, one of its own."""

    def list_duties(self, folder: Path) -> Result:
        """List the duties of one folder."""
        return CliRunner().invoke(app, ["duties", str(folder), "--period", "2024"])

    def test_the_folder_above_may_hold_it(self, tmp_path: Path) -> None:
        """Plans in folders side by side share the registry that lies beside the folders."""
        write_documents(tmp_path, a_registry())
        write_documents(tmp_path / "one", a_plan())
        assert len(rows(self.list_duties(tmp_path / "one"))) == 3
        checked = CliRunner().invoke(app, ["check", str(tmp_path / "one")])
        assert checked.exit_code == 0, checked.stdout

    def test_a_registry_of_another_id_is_not_taken(self, tmp_path: Path) -> None:
        """The missing file is named."""
        write_documents(tmp_path, a_registry(registry="khac"))
        write_documents(tmp_path / "one", a_plan())
        refused = self.list_duties(tmp_path / "one")
        assert (refused.exit_code, "one/registry.yaml: No such file" in refused.stderr) == (2, True)

    def test_a_folder_may_hold_a_registry_alone(self, tmp_path: Path) -> None:
        """Two plan folders and one with their registry are two plans."""
        paths = [
            write_documents(tmp_path / "one", a_plan()),
            write_documents(tmp_path / "two", a_second_plan()),
            write_documents(tmp_path / "registry", a_registry()),
        ]
        facts = write_lines(tmp_path / "f.jsonl", a_report("s-1", "2024-12-01 08:00"))
        found = rows(run("results", list(map(str, paths)), "--facts", facts, "--period", "2024"))
        assert [(one["plan"], one["obligations"][0]["standing"]) for one in found] == [("P-1", 1), ("P-2", 0)]


class TestSimulate:
    """What one agency gets from all plans at one time is one digest."""

    contacts = "agency,channel,address\n" + "".join(f"{one},email,vt@{one}.example\n" for one in ("h-mot", "so-khdt"))

    def simulate(self, folders: list[str], *facts: Json, until: str = "2024-12-04T00:00:00+07:00") -> list[Json]:
        """Simulate the first days of December 2024."""
        folder = Path(folders[0])
        contacts = folder / "c.csv"
        contacts.write_text(self.contacts)
        options = ["--facts", write_lines(folder / "f.jsonl", *facts), "--contacts", str(contacts)]
        return rows(run("simulate", folders, *options, "--from", "2024-12-01T00:00:00+07:00", "--to", until))

    def test_two_plans_make_one_digest(self, folders: list[str]) -> None:
        """Both reminders of 3 December are one mail that cites both documents."""
        (found,) = self.simulate(folders)
        assert [(one["plan"], one["agency"], one["step"]) for one in found["duties"]] == [
            ("P-1", "h-mot", "P7D"),
            ("P-2", "h-mot", "P7D"),
        ]
        assert found["subject"] == "Hạn gần nhất 09/12/2024 – 2 báo cáo cần gửi"

    def test_a_co_operating_agency_gets_copies(self, tmp_path: Path) -> None:
        """The copy names the agency that owes the report, and goes to the one that co-operates."""
        joint = an_obligation(lead="h-mot", **{"with": ["so-khdt"]})
        registry = a_registry(an_agency("h-mot"), an_agency("so-khdt", groups=[]))
        folder = write_documents(tmp_path / "joint", a_plan(joint), registry)
        found = self.simulate([str(folder)])
        assert [(one["to_agency"], one["duties"][0]["agency"]) for one in found] == [
            ("h-mot", "h-mot"),
            ("so-khdt", "h-mot"),
        ]

    def test_a_carried_report_ends_the_alerts_of_the_new_plan(self, tmp_path: Path) -> None:
        """From the day on the old plan reminds of nothing; the old report discharges the new duty."""
        obligation = an_obligation(a_version(**{"from": "2024-09-25"}), id="annual")
        supersedes = {"plan": "P-1", "from": "2024-09-25", "carries": {"results": "annual"}}
        new = a_plan(obligation, plan="P-2", issued_on="2024-09-25", supersedes=supersedes)
        pair = [
            str(write_documents(tmp_path / "old", a_plan(), a_registry())),
            str(write_documents(tmp_path / "new", new)),
        ]
        (found,) = self.simulate(pair)
        assert [one["plan"] for one in found["duties"]] == ["P-2"]
        assert self.simulate(pair, a_report("s-1", "2024-12-02 08:00")) == []
        assert self.simulate(pair, a_report("s-1", "2024-08-02 08:00")) == []


class TestResults:
    """Figures of compilations are compared with those of their parts; a year that nobody watched serves comparisons."""

    def a_content(self, loans: int, *parts: str) -> Json:
        """Build the content of a report with a figure and the parts that it compiles."""
        return {
            "nil_return": False,
            "figures_as_of": "2024-11-30",
            "sections": {},
            "indicators": {"loans": loans},
            "parts": list(parts),
        }

    def consolidate(self, tmp_path: Path, *loans: int | None) -> Json:
        """Return the results of 2024 of a district that reports 10, above communes that report *loans*."""
        asks = a_version(requires={"indicators": ["loans"]})
        plan = a_plan(
            an_obligation(asks, id="communes", addressees=["xa"]),
            an_obligation(asks, id="districts", compiles={"obligation": "communes", "of": "children"}),
            indicators=[{"code": "loans"}],
        )
        below = {"groups": [{"id": "xa"}], "parent": "h-mot"}
        communes = [an_agency(f"x-{number}", **below) for number in range(len(loans))]
        groups = [{"id": "huyen", "name": {"vi": "Huyện"}}, {"id": "xa", "name": {"vi": "Xã"}}]
        folder = write_documents(tmp_path / "plan", plan, a_registry(an_agency("h-mot"), *communes, groups=groups))
        reports = [
            a_report(
                f"c-{number}",
                "2024-12-01 08:00",
                obligation="communes",
                agency=f"x-{number}",
                content=self.a_content(figure),
            )
            for number, figure in enumerate(loans)
            if figure is not None
        ]
        own = a_report("d-1", "2024-12-02 08:00", obligation="districts", content=self.a_content(10, "x-0", "x-1"))
        facts = write_lines(tmp_path / "f.jsonl", *reports, own)
        (document,) = rows(run("results", [str(folder)], "--facts", facts, "--period", "2024"))
        return document

    @pytest.mark.parametrize("loans, flags", [((4, 6), []), ((4, 5), ["parts_differ"]), ((4, None), []), ((), [])])
    def test_a_sum_of_parts_that_differs_is_flagged(
        self, tmp_path: Path, loans: tuple[int | None, ...], flags: list[str]
    ) -> None:
        """It is compared once every part has given the figure, and where there are parts at all."""
        (figure,) = self.consolidate(tmp_path, *loans)["obligations"][-1]["indicators"][0]["figures"]
        assert figure["flags"] == flags

    def test_an_untracked_year_is_compared_with_and_not_counted(self, tmp_path: Path) -> None:
        """Tracked from 2024 on: nothing was expected for 2023, and its figures stand beside those of 2024."""
        asks = a_version(requires={"indicators": ["loans"]})
        plan = a_plan(an_obligation(asks), indicators=[{"code": "loans"}], tracked_from="2024-01-01")
        folder = write_documents(tmp_path / "plan", plan, a_registry(an_agency("h-mot"), an_agency("h-hai")))
        contents = {
            year: self.a_content(loans) | {"figures_as_of": f"{year}-11-30"} for year, loans in ((2023, 7), (2024, 9))
        }
        facts = write_lines(
            tmp_path / "f.jsonl",
            a_report("s-1", "2023-12-20 08:00", period="2023", content=contents[2023]),
            a_report("s-2", "2024-12-02 08:00", content=contents[2024]),
        )
        ask = ["--facts", facts, "--at", LATER, "--period"]
        (now,) = rows(run("results", [str(folder)], *ask, "2024"))
        previous = now["obligations"][0]["indicators"][0]["previous"]
        assert (previous["total"], previous["agencies"], previous["same"]["agencies"]) == ("7", 1, 1)
        (then,) = rows(run("results", [str(folder)], *ask, "2023"))
        (found,) = then["obligations"]
        assert (found["expected"], found["standing"], found["indicators"][0]["total"]) == (0, 0, "0")
