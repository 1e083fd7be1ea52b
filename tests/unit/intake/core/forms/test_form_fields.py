"""The fields of a report's form: their keys, labels, units and ranges."""

from schemas.plan.plan import Requirements
from services.intake.core.forms import form_fields


def test_every_field_of_a_plan_has_a_pointer_of_its_own() -> None:
    """The key of a field and its pointer into the event map to each other, for unusual codes too."""
    requires = Requirements.model_validate(
        {"sections": ["results", "next.year-1"], "indicators": [{"code": "a.b_c-d"}], "attachments": {"min": 2}}
    )
    fields = form_fields.fields_of(requires)
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
    requires = Requirements.model_validate({"sections": [*sections, "next_year"], "indicators": indicators})
    fields = {one.key: (one.label.vi, one.label.en) for one in form_fields.fields_of(requires)}
    titled = [("Kết quả", "Results"), ("Khó khăn", "Khó khăn")]
    assert [fields[f"sections.{one}"] for one in "abc"] == [*titled, ("c", "c")]
    assert [fields[f"indicators.{one}"] for one in "xyz"] == [*titled, ("z", "z")]
    assert fields["sections.next_year"] == ("next_year", "next_year")


def test_a_figure_has_a_unit_and_a_range() -> None:
    """The bounds of a figure are formatted by language, and an unknown unit is shown unchanged."""
    indicators = [{"code": "a", "unit": "percent", "min": 0, "max": 99.5}, {"code": "b", "unit": "tấn"}, {"code": "c"}]
    fields = {one.key: one for one in form_fields.fields_of(Requirements.model_validate({"indicators": indicators}))}
    assert fields["indicators.a"].hint.vi == "từ 0 đến 99,5"
    assert fields["indicators.a"].hint.en == "from 0 to 99.5"
    assert [one.unit.vi if (one := fields[f"indicators.{code}"]).unit else None for code in "abc"] == ["%", "tấn", None]


def test_the_files_field_names_number_and_types() -> None:
    """A plan that requires no files gives no hint; one that requires two PDFs gives one that says so."""
    none, two = (
        form_fields.fields_of(Requirements.model_validate({"attachments": {"min": least, "media_types": kinds}}))[-1]
        for least, kinds in ((0, []), (2, ["application/pdf", "text/csv"]))
    )
    assert (none.hint, none.is_required) == (form_fields.NO_TEXT, False)
    assert (two.hint.vi, two.is_required) == ("ít nhất 2 tệp (PDF, text/csv)", True)
    assert two.hint.en == "at least 2 files (PDF, text/csv)"
