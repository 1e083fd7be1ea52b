"""A small valid plan and registry, for tests that put one error into them."""

from datetime import date

from services.console.commands.plans import check

PLAN = """\
plan: P-1
version: 1
title: {vi: Kế hoạch}
issued_on: 2016-05-05
issuer: tinh
registry: th
sources:
  - {id: kh, number: 1/KH}
obligations:
  - id: results
    citation:
      source: kh
      clause: III.1
      quote: gửi kết quả
    title: {vi: Kết quả}
    addressees: [huyen, so-a]
    recipient: bank
    versions:
      - from: 2016-05-05
        to: 2020-01-01
        recurrence: year
        due: {month: 12, day: 10}
        reminders:
          before: [P30D, P7D]
          after: [PT0S, P3D]
          then_every: P7D
          escalate: [{after: P7D, to: lanh-dao}]
      - from: 2020-01-01
        recurrence: year
        due:
          month: 12
          day: 10
        cut_off: {month: 11, day: 30}
        requires:
          sections: [results]
          indicators: [{code: loans, unit: million_vnd, min: 0, max: 9}]
          checks:
            - id: c1
              cel: indicators.loans >= 0.0
              message: {vi: Sai}
"""

REGISTRY = """\
registry: th
version: 1
groups:
  - {id: huyen, name: {vi: Huyện}}
agencies:
  - id: tinh
    names: [{vi: UBND tỉnh}]
  - id: bank
    names: [{vi: Ngân hàng}]
    parent: tinh
  - id: so-a
    valid: {from: 2016-05-05, to: 2020-01-01}
    names: [{vi: Sở A, from: 2016-05-05}]
  - id: so-b
    valid: {from: 2020-01-01, to: 2025-01-01}
    names:
      - {vi: Sở B, from: 2020-01-01, to: 2022-01-01}
      - {vi: Sở B mới, from: 2022-01-01}
    aliases: [so-b-moi]
  - id: h-1
    valid: {from: 2016-05-05}
    names: [{vi: UBND huyện 1}]
    groups:
      - {id: huyen, from: 2016-05-05, to: 2020-01-01}
      - {id: huyen, from: 2021-01-01}
successions:
  - type: merge_new
    from: [so-a]
    to: [so-b]
    on: 2020-01-01
  - type: abolish
    from: [so-b]
    to: []
    on: 2025-01-01
holidays: [{date: 2026-01-01, name: Tết}]
working_days: [2026-01-10]
holidays_confirmed: [2016, 2017, 2018, 2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026]
"""

TODAY = date(2026, 12, 31)


def faults_in(plan: str = PLAN, registry: str = REGISTRY) -> list[str]:
    """Return what `dondoc check` prints of the two texts."""
    return [str(fault) for fault in check.check_texts(plan, registry, today=TODAY).faults]


def replace_once(text: str, old: str, new: str) -> str:
    """Return *text* with its one *old* passage replaced; fail if it has none or several."""
    assert text.count(old) == 1, f"the edit wants one {old!r}"
    return text.replace(old, new)
