"""What an operator goes by, held to the code: alerts, the runbook and the dashboard name only what exists."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from services.console.main import COMMANDS, app
from tests.support.tools import needs

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "deploy/runbook.md"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
OBJECTIVES = ROOT / "deploy/prometheus/objectives.yml"
PLAYED = sorted((ROOT / "deploy/prometheus/tests").glob("*.test.yml"))
ALERTMANAGER = ROOT / "deploy/prometheus/alertmanager.yml"
NAMES = re.compile(r'alertname!?[=~]+"([^"]+)"')
DASHBOARD = ROOT / "deploy/grafana/dondoc.json"
METRIC = re.compile(r"\b(?:intake|rules|notifier|reporting|audit|runtime)_[a-z_]+_[a-z]+\b")
SELECTED = re.compile(r"\b(?:(?:intake|rules|notifier|reporting|audit|runtime|dondoc)_[a-z_]+|up)\b")
CHOSEN = '{job=~"$job", instance=~"$instance"'
RECORDED = re.compile(r"\bdondoc:[a-z_0-9:]+")
HISTOGRAM_SUFFIX = re.compile(r"_(bucket|count|sum)$")
SETTING = re.compile(r"DONDOC_[A-Z_]*[A-Z]\b")
COMMAND = re.compile(r"`dondoc ([a-z-]+)(?: ([a-z-]+))?([^`]*)`")
OPTION = re.compile(r"(?<=\s)--[a-z-]+")
ACTION = re.compile(r"action: ([a-z_]+)")
LINK = re.compile(r"\]\(([^)\s]*)#([^)\s]+)\)")
CHECK = re.compile(r'check=~?"([^"]+)"')
GROUPS = {"readers", "keys", "links", "contacts", "dead-letters", "receipt", "deliveries", "notify"}


def text_of(path: Path) -> str:
    """Return a file as text."""
    return path.read_text(encoding="utf-8")


def alerts() -> list[dict[str, Any]]:
    """Return every alert rule."""
    return [rule for group in YAML(typ="safe").load(ALERTS)["groups"] for rule in group["rules"]]


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings of a document have where it is read."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def find_undocumented(text: str) -> list[str]:
    """Return the metrics of ours that *text* names and docs/reference/metrics.md does not."""
    documented = text_of(ROOT / "docs/reference/metrics.md")
    named = {HISTOGRAM_SUFFIX.sub("", name) for name in METRIC.findall(text)}
    return sorted(name for name in named if f"`{name}`" not in documented)


def test_every_alert_says_what_it_is_and_where_to_read_on() -> None:
    """Each has a severity, a summary and a heading of the runbook that exists; so nobody is woken without a word."""
    known = anchors(text_of(RUNBOOK))
    for rule in alerts():
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (file, anchor) == ("deploy/runbook.md", rule["alert"].lower())
        assert anchor in known
        assert rule["labels"]["severity"] in {"page", "ticket", "heartbeat"}
        assert rule["annotations"]["summary"]


def test_alerts_ask_for_checks_that_services_make() -> None:
    """A readiness check that was renamed would never fail again."""
    code = "\n".join(text_of(path) for path in (ROOT / "services").glob("*/app.py"))
    named = {name for rule in alerts() for names in CHECK.findall(rule["expr"]) for name in names.split("|")}
    assert named
    assert sorted(name for name in named if f'"{name}": ' not in code) == []


def test_every_ratio_that_is_asked_for_is_recorded() -> None:
    """An alert on a recording rule that was renamed would never fire."""
    rules = [rule for group in YAML(typ="safe").load(OBJECTIVES)["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules}
    asked = {name for rule in alerts() for name in RECORDED.findall(rule["expr"])}
    assert asked == recorded


def test_every_heading_under_alerts_is_an_alert() -> None:
    """What is no longer watched has no place among the alerts."""
    chapter = text_of(RUNBOOK).partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.+)$", chapter, flags=re.MULTILINE) == [rule["alert"] for rule in alerts()]


def test_every_alert_is_played() -> None:
    """Promtool's cases name alerts that exist; each alert is seen to fire, and all but the heartbeat to keep silent."""
    cases = [
        case for path in PLAYED for play in YAML(typ="safe").load(path)["tests"] for case in play["alert_rule_test"]
    ]
    firing = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    names = {rule["alert"] for rule in alerts()}
    assert firing == names
    assert names - silent == {"Watchdog"}


@needs("promtool", package="prometheus")
@pytest.mark.parametrize(
    "arguments", [("check", "rules", str(ALERTS), str(OBJECTIVES)), ("test", "rules", *map(str, PLAYED))]
)
def test_prometheus_takes_the_alerts_and_plays_their_cases(arguments: tuple[str, ...]) -> None:
    """Its own tool reads the rules, and finds each case as it is written."""
    run_tool("promtool", *arguments)


@needs("amtool", package="prometheus-alertmanager")
@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"alertname": "Watchdog", "severity": "heartbeat"}, "watchdog"),
        ({"alertname": "BusUnreachable", "severity": "page"}, "operator"),
        ({"alertname": "NotReached", "severity": "ticket"}, "officer,operator"),
        ({"alertname": "KeyExpiring", "severity": "ticket"}, "operator"),
    ],
)
def test_alertmanager_takes_its_configuration(labels: dict[str, str], receivers: str) -> None:
    """Its own tool reads the file, and finds whom each alert goes to."""
    run_tool("amtool", "check-config", str(ALERTMANAGER))
    given = [f"{name}={value}" for name, value in labels.items()]
    assert run_tool("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *given).strip() == receivers


def test_alertmanager_speaks_of_alerts_that_exist() -> None:
    """An alert that was renamed would go to nobody, and be told in spite of its cause."""
    named = {name for names in NAMES.findall(text_of(ALERTMANAGER)) for name in names.split("|")}
    assert named
    assert sorted(named - {rule["alert"] for rule in alerts()}) == []


@pytest.mark.parametrize("path", [RUNBOOK, DASHBOARD, ALERTS, OBJECTIVES, *PLAYED], ids=lambda path: path.name)
def test_only_metrics_that_exist_are_named(path: Path) -> None:
    """A question about a metric that nobody tells is answered with silence."""
    assert find_undocumented(text_of(path)) == []


def test_the_links_of_the_runbook_lead_somewhere() -> None:
    """Each anchor is one of its own headings."""
    text = text_of(RUNBOOK)
    assert [anchor for file, anchor in LINK.findall(text) if not file and anchor not in anchors(text)] == []


@pytest.mark.parametrize("path", [RUNBOOK, ROOT / "deploy/kubernetes/README.md"], ids=lambda path: path.name)
def test_only_commands_and_settings_that_exist_are_told(path: Path) -> None:
    """Each command answers `--help`, with the options that the documents name; each variable is documented."""
    settings = text_of(ROOT / "docs/reference/settings.md")
    known = set(re.findall(r"`(DONDOC_[A-Z_]+)`", settings)) | {"DONDOC_FORM_KEY", "DONDOC_FORM_URL"}
    assert sorted(set(SETTING.findall(text_of(path))) - known) == []
    for words, options in set(_commands(text_of(path))):
        answer = CliRunner().invoke(app, [*words, "--help"], terminal_width=200)
        assert answer.exit_code == 0, words
        assert [option for option in options if option not in answer.output] == [], words


def test_the_tests_that_try_a_procedure_exist() -> None:
    """A test that was renamed would leave its procedure untried."""
    named = re.findall(r"`(tests/[\w/]+\.py)`", text_of(RUNBOOK))
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_only_actions_that_services_log_are_looked_for() -> None:
    """Each `action` in the runbook is in the code of a service."""
    code = "\n".join(text_of(path) for path in (ROOT / "services").rglob("*.py"))
    logged = {*re.findall(r'"action": "([a-z_]+)"', code)}
    # The log of refusals makes two actions of each name: for the first, and for those that follow it.
    for name in re.findall(r'RefusalLog\(\s*"([a-z_]+)"', code):
        logged |= {name, f"{name}_repeatedly"}
    assert sorted({*ACTION.findall(text_of(RUNBOOK))} - logged) == []


def test_every_panel_of_the_dashboard_says_what_it_shows() -> None:
    """Titles for those who watch, a description for those who wonder, at least one question each; no id twice."""
    panels = json.loads(text_of(DASHBOARD))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"]
            assert all(target["expr"] for target in panel["targets"])


def test_every_question_of_the_dashboard_keeps_to_the_chosen_processes() -> None:
    """Two installations in one Prometheus are not added up: each metric is asked of the chosen jobs and instances."""
    for expression in expressions():
        assert expression.count(CHOSEN) == len(SELECTED.findall(expression)), expression
    variables = {one["name"] for one in dashboard()["templating"]["list"]}
    assert variables == {"source", "job", "instance", "runbook"}


def test_the_dashboard_has_a_row_a_service_and_one_of_the_season() -> None:
    """Whoever is woken finds the service by its row, and what is due first."""
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]
    assert rows == [
        "Toàn hệ thống",
        "Kỳ báo cáo",
        "Tiếp nhận báo cáo",
        "Đánh giá nghĩa vụ",
        "Nhắc việc, đôn đốc",
        "Tổng hợp, báo cáo năm",
    ]


def test_what_is_judged_has_a_threshold_and_the_runbook_beside_it() -> None:
    """A figure that somebody is woken for changes its colour; its link leads to a heading."""
    known = anchors(text_of(RUNBOOK))
    linked = [(panel, link["url"]) for panel in dashboard()["panels"] for link in panel.get("links", ())]
    assert len(linked) > 20
    assert [url for _, url in linked if url.removeprefix("${runbook}#") not in known] == []
    stats = [panel for panel in dashboard()["panels"] if panel["type"] == "stat"]
    bare = [panel["title"] for panel in stats if "thresholds" not in panel["fieldConfig"]["defaults"]]
    assert bare == ["Phiên bản đang chạy"]
    assert {one["name"] for one in dashboard()["annotations"]["list"]} == {"Hạn nộp", "Phiên bản"}


@needs("promtool", package="prometheus")
def test_prometheus_can_answer_every_question_of_the_dashboard(tmp_path: Path) -> None:
    """Its own tool reads each expression, with the variables as Grafana fills them in."""
    filled = [re.sub(r"\$(?:job|instance)", ".*", one).replace("$__rate_interval", "1m") for one in expressions()]
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(filled)]
    path = tmp_path / "panels.json"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    run_tool("promtool", "check", "rules", str(path))


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    found: dict[str, Any] = json.loads(text_of(DASHBOARD))
    return found


def expressions() -> list[str]:
    """Return what panels and annotations ask of Prometheus."""
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return [*panels, *(one["expr"] for one in dashboard()["annotations"]["list"])]


def run_tool(*command: str) -> str:
    """Run a tool that has to succeed; return what it says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _commands(text: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield each command that the documents name, by its words, with its options."""
    for name, second, rest in COMMAND.findall(text):
        assert name in COMMANDS, name
        words = (name, second) if name in GROUPS and second else (name,)
        yield words, tuple(OPTION.findall(f" {rest}"))
