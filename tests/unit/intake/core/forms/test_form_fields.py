"""The fields of a report's form: their keys, labels, units and ranges."""

from typing import Any

from schemas.content import requested_content
from services.intake.core.forms import form_fields
from services.intake.core.forms.form_fields import FormField
from tests.support.builders.plans import Json, a_plan, a_version, an_obligation


def build_fields(
    requires: Json, *, accepts: Json | None = None, names: set[str] | None = None, **declared: Any
) -> tuple[FormField, ...]:
    """Return the fields of a form for the agency with *names*; *declared* are the plan's indicators."""
    plan = a_plan(an_obligation(a_version(requires=requires, accepts=accepts or {})), **declared)
    version = plan.obligations[0].versions[0]
    return form_fields.build_fields(version.requires, requested_content.list_requested(plan, version, names))


def test_every_field_of_a_plan_has_a_pointer_of_its_own() -> None:
    """The key of a field and its pointer into the event map to each other, for unusual codes too."""
    fields = build_fields(
        {"sections": ["results", "next.year-1"], "indicators": [{"code": "a.b_c-d"}], "attachments": {"min": 2}}
    )
    assert [form_fields.key_at(form_fields.event_pointer(one.key)) for one in fields] == [one.key for one in fields]
    assert len({one.key for one in fields}) == len(fields)


def test_a_missing_part_maps_to_its_field() -> None:
    """Sections and figures map to their own keys, the signature to `document.signed_by`, a check to no field."""
    names = ("sections.results", "indicators.a.b", "attachments", "signed", "checks.ratio")
    keys = ["sections.results", "indicators.a.b", "attachments", "document.signed_by", ""]
    assert [form_fields.key_of_missing(one) for one in names] == keys


def test_a_section_or_figure_is_labelled_by_its_title() -> None:
    """The label is the title in both languages (Vietnamese if there is no English), or else the id or code."""
    titles = ({"vi": "Kết quả", "en": "Results"}, {"vi": "Khó khăn"}, None)
    sections = [{"id": one, "title": title} for one, title in zip("abc", titles, strict=True)]
    indicators = [{"code": one, "title": title} for one, title in zip("xyz", titles, strict=True)]
    requires = {"sections": [*sections, "next_year"], "indicators": indicators}
    fields = {one.key: (one.label.vi, one.label.en) for one in build_fields(requires)}
    titled = [("Kết quả", "Results"), ("Khó khăn", "Khó khăn")]
    assert [fields[f"sections.{one}"] for one in "abc"] == [*titled, ("c", "c")]
    assert [fields[f"indicators.{one}"] for one in "xyz"] == [*titled, ("z", "z")]
    assert fields["sections.next_year"] == ("next_year", "next_year")


def test_a_figure_has_a_unit_and_a_range() -> None:
    """The bounds of a figure are formatted by language, and an unknown unit is shown unchanged."""
    indicators = [{"code": "a", "unit": "percent", "min": 0, "max": 99.5}, {"code": "b", "unit": "tấn"}, {"code": "c"}]
    fields = {one.key: one for one in build_fields({"indicators": indicators})}
    assert fields["indicators.a"].hint.vi == "từ 0 đến 99,5"
    assert fields["indicators.a"].hint.en == "from 0 to 99.5"
    assert [one.unit.vi if (one := fields[f"indicators.{code}"]).unit else None for code in "abc"] == ["%", "tấn", None]


def test_the_files_field_names_number_and_types() -> None:
    """A plan that requires no files gives no hint; one that requires two PDFs gives one that says so."""
    none, two = (
        build_fields({"attachments": {"min": least, "media_types": kinds}})[-1]
        for least, kinds in ((0, []), (2, ["application/pdf", "text/csv"]))
    )
    assert (none.hint, none.is_required) == (form_fields.NO_TEXT, False)
    assert (two.hint.vi, two.is_required) == ("ít nhất 2 tệp (PDF, text/csv)", True)
    assert two.hint.en == "at least 2 files (PDF, text/csv)"


def test_what_is_asked_for_and_not_required_follows_as_optional() -> None:
    """A declared figure brings its title, unit, range and form; an agency sees only what it is asked for."""
    declared = [
        {"code": "loans", "title": {"vi": "Dư nợ", "en": "Loans"}, "unit": "customer", "min": 0, "integer": True},
        {"code": "poor", "asked_of": ["so-ldtbxh"]},
        {"code": "ratio", "kind": "ratio", "formula": "loans / poor"},
    ]
    accepts = {"indicators": ["loans", "poor"], "sections": ["proposals"]}
    fields = {one.key: one for one in build_fields({}, accepts=accepts, names={"h-mot", "huyen"}, indicators=declared)}
    loans = fields["indicators.loans"]
    assert (loans.label.vi, loans.hint.vi, loans.hint.en) == ("Dư nợ", "từ 0; số nguyên", "from 0; a whole number")
    assert loans.unit is not None
    assert (loans.unit.vi, loans.is_required, loans.is_whole) == ("khách hàng", False, True)
    assert not fields["sections.proposals"].is_required
    assert fields.keys().isdisjoint({"indicators.poor", "indicators.ratio"})
