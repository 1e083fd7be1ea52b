"""The units of figures in words, for forms, sheets, mails and reports."""

from collections.abc import Mapping

from schemas.plan.values import Bilingual

PERCENT = "percent"
UNITS: Mapping[str, Bilingual] = {
    "million_vnd": Bilingual.of(en="million VND", vi="triệu đồng"),
    "billion_vnd": Bilingual.of(en="billion VND", vi="tỷ đồng"),
    "vnd": Bilingual.of(en="VND", vi="đồng"),
    PERCENT: Bilingual.of(en="%", vi="%"),
    "household": Bilingual.of(en="households", vi="hộ"),
    "households": Bilingual.of(en="households", vi="hộ"),
    "customer": Bilingual.of(en="customers", vi="khách hàng"),
    "turn": Bilingual.of(en="loans", vi="lượt"),
    "group": Bilingual.of(en="groups", vi="tổ"),
    "point": Bilingual.of(en="points", vi="điểm"),
    "inspection": Bilingual.of(en="inspections", vi="cuộc"),
    "item": Bilingual.of(en="items", vi="tin, bài"),
    "task": Bilingual.of(en="tasks", vi="nhiệm vụ"),
    "petition": Bilingual.of(en="petitions", vi="đơn"),
    "visit": Bilingual.of(en="visits", vi="lượt"),
    "case": Bilingual.of(en="cases", vi="vụ"),
    "person": Bilingual.of(en="persons", vi="người"),
}


def describe_unit(unit: str | None) -> Bilingual | None:
    """Return *unit* in words; an unknown one as it is written, None where there is none."""
    if unit is None:
        return None
    return UNITS.get(unit, Bilingual.of(en=unit, vi=unit))
