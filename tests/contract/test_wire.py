"""What others rely on: the published schemas, their examples, and the readers and writers that are held to them."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from pydantic import BaseModel, ValidationError
from typer.testing import CliRunner

from schemas.events import catalogue, facts
from schemas.events.assessments import ASSESSED, DutyAssessed
from schemas.events.catalogue import MessageType
from schemas.events.envelope import Envelope
from services.console.commands.plans import schemas
from services.console.main import app
from services.console.support import inputs
from services.rules import assessment_event, fact_decoder
from services.rules.assessment_event import LogPosition
from tests.support.assertions.schema_compatibility import breaks

ROOT = Path(__file__).parent.parent.parent
PUBLISHED = ROOT / "schemas"
FROZEN = Path(__file__).parent / "frozen"
PLAN_FOLDER = ROOT / "deploy" / "plans" / "6766-kh-ubnd"
EVENTS = [one for one in catalogue.MESSAGES if one.is_event]
FACTS = [one for one in EVENTS if one.name in facts.MODEL_OF]
RECEIVED = "2024-12-05T08:42:11.507Z"
OFFSET = 41

messages = pytest.mark.parametrize("message", catalogue.MESSAGES, ids=lambda one: one.name)
events = pytest.mark.parametrize("message", EVENTS, ids=lambda one: one.name)


def load_schema(message: MessageType) -> dict[str, Any]:
    """The schema as it lies in the repository."""
    schema: dict[str, Any] = json.loads((PUBLISHED / "jsonschema" / f"{message.name}.schema.json").read_text())
    return schema


def example(message: MessageType) -> dict[str, Any]:
    """The example as it lies in the repository."""
    event: dict[str, Any] = json.loads((PUBLISHED / "examples" / f"{message.name}.json").read_text())
    return event


def the_verdict(submitted: dict[str, Any]) -> bytes:
    """What rules tells of plan 6766 when it reads *submitted* at offset 41."""
    book = inputs.read_plan_folder(PLAN_FOLDER)
    fact = book.resolve_names(fact_decoder.decode_fact(msgspec.json.encode(submitted | {"receivedtime": RECEIVED})))
    duty = book.duty(agency=fact.agency, obligation=fact.obligation, period="2024")
    applied = LogPosition(offset=OFFSET, recorded_at=datetime.fromisoformat(RECEIVED).astimezone(UTC))
    return assessment_event.encode_assessment(book, duty, [fact], position=applied)


class TestPublished:
    """The files say what the models say."""

    def test_no_file_has_drifted(self) -> None:
        """`dondoc schemas write` would change nothing."""
        assert schemas.find_drift(PUBLISHED) == []

    def test_drift_is_a_negative_finding_that_names_its_files(self, tmp_path: Path) -> None:
        """A missing schema, a changed one and one that no model has."""
        runner = CliRunner()
        assert runner.invoke(app, ["schemas", "write", str(tmp_path)]).exit_code == 0
        assert runner.invoke(app, ["schemas", "check", str(tmp_path)]).exit_code == 0
        folder = tmp_path / "jsonschema"
        (folder / "plan.schema.json").unlink()
        (folder / "registry.schema.json").write_text("{}")
        (folder / "other.schema.json").write_text("{}")
        result = runner.invoke(app, ["schemas", "check", str(tmp_path)])
        assert result.exit_code == 1
        assert [name for name in ("plan", "registry", "other") if f"{name}.schema.json: " in result.output] == [
            "plan",
            "registry",
            "other",
        ]

    def test_an_example_that_is_not_json_is_unusable(self, tmp_path: Path) -> None:
        """With its place."""
        (tmp_path / "examples").mkdir()
        (tmp_path / "examples" / "broken.json").write_text("{")
        result = CliRunner().invoke(app, ["schemas", "check", str(tmp_path)])
        assert result.exit_code == 2
        assert "broken.json: not JSON" in result.output

    @messages
    def test_a_schema_is_valid_and_named_for_good(self, message: MessageType) -> None:
        """JSON Schema 2020-12 with a stable `$id`."""
        schema = load_schema(message)
        assert (schema["$schema"], schema["$id"]) == (catalogue.DIALECT, f"urn:dondoc:schema:{message.name}")
        jsonschema_rs.meta.validate(schema)

    @messages
    def test_a_version_is_never_changed_under_its_users(self, message: MessageType) -> None:
        """Against the frozen copy only optional additions pass; anything else wants a new version beside the old."""
        frozen = json.loads((FROZEN / f"{message.name}.schema.json").read_text())
        assert breaks(frozen, load_schema(message), is_event=message.is_event) == []

    def test_nothing_published_disappears(self) -> None:
        """Each frozen schema is still published."""
        assert {one.name for one in FROZEN.glob("*.json")} <= {one.name for one in (PUBLISHED / "jsonschema").iterdir()}

    @pytest.mark.parametrize("name", catalogue.DOCUMENTS)
    def test_a_document_keeps_its_schema_too(self, name: str) -> None:
        """What is answered over HTTP has a valid schema with a stable `$id`, and only optional additions pass."""
        schema = json.loads((PUBLISHED / "jsonschema" / f"{name}.schema.json").read_text())
        assert (schema["$schema"], schema["$id"]) == (catalogue.DIALECT, f"urn:dondoc:schema:{name}")
        jsonschema_rs.meta.validate(schema)
        frozen = json.loads((FROZEN / f"{name}.schema.json").read_text())
        assert breaks(frozen, schema, is_event=False) == []

    def test_every_duty_of_plan_6766_fits_the_published_schemas(self) -> None:
        """The plan that we ship is the first user of its own schema."""
        book = inputs.read_plan_folder(PLAN_FOLDER)
        for name, document in {"plan": book.plan, "registry": book.registry}.items():
            message = next(one for one in catalogue.MESSAGES if one.name == name)
            sent = json.loads(document.model_dump_json(by_alias=True, exclude_defaults=True))
            jsonschema_rs.validator_for(load_schema(message), validate_formats=True).validate(sent)


class TestExamples:
    """One realistic event for each type."""

    @events
    def test_it_fits_schema_and_model(self, message: MessageType) -> None:
        """Both accept it."""
        jsonschema_rs.validator_for(load_schema(message), validate_formats=True).validate(example(message))
        message.model.model_validate(example(message))

    @events
    def test_schema_and_model_refuse_the_same_holes(self, message: MessageType) -> None:
        """Whatever required attribute is taken out, or given the wrong type, neither accepts the rest."""
        validator = jsonschema_rs.validator_for(load_schema(message), validate_formats=True)
        for spoilt in _spoilt(example(message)):
            assert validator.is_valid(spoilt) == _is_accepted(message.model, spoilt), json.dumps(spoilt)

    @pytest.mark.parametrize("message", FACTS, ids=lambda one: one.name)
    def test_rules_reads_it(self, message: MessageType) -> None:
        """The tolerant reader knows every fact that an upstream system may send."""
        event = example(message) | {"receivedtime": RECEIVED}
        fact = fact_decoder.decode_fact(msgspec.json.encode(event))
        assert (fact.id, fact.source, fact.agency) == (event["id"], event["source"], event["data"]["agency"])


class TestVerdict:
    """What rules writes is what is published."""

    def test_the_golden_message(self) -> None:
        """The example of an assessment is what rules tells of the example of a report, to the letter."""
        submitted = next(one for one in EVENTS if one.name == facts.SUBMITTED)
        assessed = next(one for one in EVENTS if one.name == ASSESSED)
        assessment = the_verdict(example(submitted))
        assert json.loads(assessment) == example(assessed)
        assert the_verdict(example(submitted)) == assessment

    def test_it_says_everything_that_the_model_has(self) -> None:
        """No field is lost between the struct that writes and the model that is published."""
        submitted = next(one for one in EVENTS if one.name == facts.SUBMITTED)
        assessment = Envelope[DutyAssessed].model_validate_json(the_verdict(example(submitted)))
        assert set(json.loads(the_verdict(example(submitted)))["data"]) == set(DutyAssessed.model_fields)
        assert assessment.data.timeline[-1].status == "on_time"


class TestIncompatible:
    """The comparison finds what would break somebody."""

    @pytest.mark.parametrize(
        "path, change, finding",
        [
            (("required",), ["id"], "$: source is no longer required"),
            (("properties", "time"), None, "$.time: is gone"),
            (("properties", "id", "maxLength"), 10, "$.id: maxLength was 1024 and is 10"),
            (("properties", "type", "const"), "other", "is 'other'"),
            (
                ("$defs", "Dispatch", "properties", "proof", "enum"),
                ["none"],
                "'postmark' is no longer among the values",
            ),
            (("$defs", "Dispatch", "required"), ["sent_at", "proof", "reference", "x"], "x is now required"),
            (("$defs", "Content", "properties", "nil_return", "type"), "string", "type was 'boolean'"),
            (("$defs", "Content", "properties", "indicators", "additionalProperties"), {"anyOf": []}, "forms"),
            (("$defs", "Attachment", "properties", "size", "type"), "string", "attachments[].size: type"),
        ],
    )
    def test_a_breaking_change_is_named(self, path: tuple[str, ...], change: object, finding: str) -> None:
        """Removed, renamed, narrowed, or newly required."""
        message = next(one for one in EVENTS if one.name == facts.SUBMITTED)
        old = load_schema(message)
        new = copy.deepcopy(old)
        node = new
        for step in path[:-1]:
            node = node[step]
        if change is None:
            del node[path[-1]]
        else:
            node[path[-1]] = change
        assert any(finding in line for line in breaks(old, new))

    def test_an_optional_addition_breaks_nobody(self) -> None:
        """A new attribute, a new value, a better description."""
        message = next(one for one in EVENTS if one.name == facts.SUBMITTED)
        new = load_schema(message)
        new["properties"]["traceparent"] = {"type": "string"}
        new["$defs"]["Dispatch"]["properties"]["proof"]["enum"].append("courier")
        new["description"] = "Clearer."
        assert breaks(load_schema(message), new) == []

    def test_a_further_form_breaks_no_document(self) -> None:
        """What people wrote stays valid; an event's readers would have to learn it, and its first form must stay."""
        message = next(one for one in catalogue.MESSAGES if one.name == "plan")
        new = load_schema(message)
        new["properties"]["registry"] = {"anyOf": [new["properties"]["registry"], {"type": "object"}]}
        assert breaks(load_schema(message), new, is_event=False) == []
        assert breaks(load_schema(message), new) == [
            "$.registry: pattern was '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' and is None",
            "$.registry: type was 'string' and is None",
        ]
        new["properties"]["registry"]["anyOf"].reverse()
        assert any("type was 'string'" in line for line in breaks(load_schema(message), new, is_event=False))


def _is_accepted(model: type[BaseModel], event: dict[str, Any]) -> bool:
    try:
        model.model_validate_json(json.dumps(event))
    except ValidationError:
        return False
    return True


def _spoilt(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield *event* with one attribute at a time taken out, or turned into a list."""
    for path in _paths(event):
        for is_removed in (True, False):
            if is_removed and path == ("specversion",):
                continue  # the envelope's own default, which CloudEvents and intake want said
            spoilt = copy.deepcopy(event)
            node = spoilt
            for step in path[:-1]:
                node = node[step]
            if is_removed:
                del node[path[-1]]
            else:
                node[path[-1]] = [[]]
            yield spoilt


def _paths(node: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, key)
            yield from _paths(value, (*path, key))
