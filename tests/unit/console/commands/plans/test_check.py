"""`dondoc check` judges both files in one run, and its exit code says the outcome."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.console.commands.plans import check
from tests.support.builders.valid_documents import PLAN, REGISTRY, faults_in, replace_once


def test_a_sound_plan_and_registry_have_no_fault() -> None:
    """A sound plan and registry have no fault."""
    assert faults_in() == []


def test_all_faults_are_reported_in_one_run_by_file_and_line() -> None:
    """One broken value hides no fault elsewhere or in the other file."""
    plan = replace_once(PLAN, "issued_on: 2016-05-05", "issued_on: 2016-02-30")
    plan = replace_once(plan, "quote: gửi kết quả", "quote:")
    plan = replace_once(plan, "due: {month: 12, day: 10}", "due: {month: 9, day: 31}")
    plan = replace_once(plan, "huyen, so-a", "xa")
    registry = replace_once(REGISTRY, "on: 2020-01-01", "on: 2020-02-01")
    places = [line.split(": ")[0] for line in faults_in(plan, registry)]
    assert places == [
        "plan.yaml:4",
        "plan.yaml:14",
        "plan.yaml:16",
        "plan.yaml:22",
        "registry.yaml:30",
        "registry.yaml:30",
    ]


class TestCommand:
    """`dondoc check DIR` at the terminal."""

    def run(self, directory: Path, *options: str) -> tuple[int, str]:
        app = typer.Typer()
        app.command()(check.check)
        result = CliRunner().invoke(app, [str(directory), *options])
        return result.exit_code, result.stdout

    def write_folder(self, directory: Path, *, plan: str = PLAN, registry: str = REGISTRY) -> Path:
        (directory / "plan.yaml").write_text(plan, encoding="utf-8")
        (directory / "registry.yaml").write_text(registry, encoding="utf-8")
        return directory

    def test_a_sound_folder_exits_0(self, tmp_path: Path) -> None:
        """A sound folder exits 0 and prints nothing to stdout."""
        assert self.run(self.write_folder(tmp_path)) == (0, "")

    def test_a_fault_exits_1_with_the_path_of_the_file(self, tmp_path: Path) -> None:
        """A fault exits 1 and names the file by a path that an editor can open."""
        code, out = self.run(self.write_folder(tmp_path, plan=replace_once(PLAN, "source: kh\n", "source: x\n")))
        assert (code, out) == (1, f"{tmp_path}/plan.yaml:12: results.citation.source: unknown source 'x'\n")

    def test_warnings_alone_exit_0(self, tmp_path: Path) -> None:
        """Warnings alone are printed and exit 0."""
        code, out = self.run(
            self.write_folder(tmp_path, plan=replace_once(PLAN, "{month: 11, day: 30}", "{month: 12, day: 14}"))
        )
        assert (code, ": warning: " in out) == (0, True)

    @pytest.mark.parametrize(
        ("officers", "warning"),
        [
            ("P-1: {name: Lê Thị B, phone: 0237 3851 234}", ""),
            ("P-1: {name: Lê Thị B}", "the officer of this plan has no telephone"),
            ("P-2: {name: Lê Thị B, phone: 0237 3851 234}", "the file of officers has nobody for this plan"),
        ],
    )
    def test_a_plan_whose_officer_cannot_be_called_is_warned_of(
        self, tmp_path: Path, officers: str, warning: str
    ) -> None:
        """At the line of the plan's id, where the file of officers is given; a warning fails nothing."""
        file = tmp_path / "officers.yaml"
        file.write_text(officers, encoding="utf-8")
        folder = self.write_folder(tmp_path)
        assert self.run(folder) == (0, "")
        code, out = self.run(folder, "--officers", str(file))
        assert code == 0
        assert out.startswith(f"{tmp_path}/plan.yaml:1: warning: plan: {warning}") if warning else out == ""

    def test_a_missing_file_exits_2(self, tmp_path: Path) -> None:
        """A missing file exits 2."""
        assert self.run(tmp_path / "nowhere") == (2, "")

    def test_text_that_is_no_yaml_exits_2_and_the_other_file_is_judged(self, tmp_path: Path) -> None:
        """A file that is no YAML is named at the line where reading stopped, and the other file is still checked."""
        registry = replace_once(REGISTRY, "parent: tinh", "parent: tin")
        code, out = self.run(self.write_folder(tmp_path, plan="plan: [1\nb: 2", registry=registry))
        lines = out.splitlines()
        assert code == 2
        assert lines[0].startswith(f"{tmp_path}/plan.yaml:2: not YAML: ")
        assert lines[1].startswith(f"{tmp_path}/registry.yaml:10: warning: bank.parent: no agency of the registry")

    def test_jsonl_gives_one_object_a_fault(self, tmp_path: Path) -> None:
        """With `--format jsonl` each fault is one JSON object."""
        code, out = self.run(
            self.write_folder(tmp_path, plan=replace_once(PLAN, "registry: th", "registry: x")), "--format", "jsonl"
        )
        assert code == 1
        assert out == (
            f'{{"file": "{tmp_path}/plan.yaml", "line": 6, "severity": "error", '
            "\"message\": \"registry: the registry beside this plan is 'th', not 'x'\"}\n"
        )
