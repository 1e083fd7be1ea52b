"""Each fault of a plan is named at its line."""

import pytest

from tests.support.builders.valid_documents import PLAN, REGISTRY, faults_in, replace_once

PLAN_FAULTS = [
    (
        "due: {month: 12, day: 10}",
        "due: {month: 9, day: 31}",
        "plan.yaml:22: results.versions[0].due.day: there is no 31 September; September has 30 days",
    ),
    (
        "          day: 10\n",
        "          day: 32\n",
        "plan.yaml:32: results.versions[1].due.day: 32: input should be less than or equal to 31",
    ),
    (
        "issued_on: 2016-05-05",
        "issued_on: 2016-02-30",
        "plan.yaml:4: issued_on: there is no 2016-02-30; that month has 29 days",
    ),
    (
        "issued_on: 2016-05-05",
        'issued_on: "2017-02-29"',
        "plan.yaml:4: issued_on: there is no 2017-02-29; that month has 28 days",
    ),
    (
        "issued_on: 2016-05-05",
        "issued_on: 31 September",
        "plan.yaml:4: issued_on: '31 September': write a local date such as 2026-12-09",
    ),
    (
        "addressees: [huyen, so-a]",
        "addressees:\n      - so-a\n      - huyem",
        "plan.yaml:18: results.addressees[1]: unknown group or agency 'huyem'; did you mean 'huyen'?",
    ),
    (
        "recipient: bank",
        "recipient: bnak",
        "plan.yaml:17: warning: results.recipient: no agency of the registry is 'bnak'; did you mean 'bank'?",
    ),
    ("issuer: tinh", "issuer: xa", "plan.yaml:5: warning: issuer: no agency of the registry is 'xa'"),
    ("registry: th", "registry: hn", "plan.yaml:6: registry: the registry beside this plan is 'th', not 'hn'"),
    (
        "- from: 2020-01-01",
        "- from: 2021-01-01",
        "plan.yaml:28: results.versions[1].from: leaves a hole from 2020-01-01 to 2021-01-01 after versions[0]",
    ),
    (
        "- from: 2020-01-01",
        "- from: 2019-06-01",
        "plan.yaml:28: results.versions[1].from: overlaps versions[0], which runs to 2020-01-01",
    ),
    (
        "to: 2020-01-01",
        "to: 2016-05-05",
        (
            "plan.yaml:20: results.versions[0].to: 2016-05-05 does not come after `from`, 2016-05-05; "
            "spans are half-open [from, to)"
        ),
    ),
    ("quote: gửi kết quả", 'quote: "  "', "plan.yaml:14: results.citation.quote: empty"),
    ("quote: gửi kết quả", "quote:", "plan.yaml:14: results.citation.quote: empty"),
    ("      quote: gửi kết quả\n", "", "plan.yaml:11: results.citation.quote: missing"),
    (
        "quote: gửi kết quả",
        "qoute: gửi\n      quote: gửi",
        "plan.yaml:14: results.citation.qoute: unknown key; did you mean 'quote'?",
    ),
    ("source: kh\n", "source: hk\n", "plan.yaml:12: results.citation.source: unknown source 'hk'"),
    (
        "[P30D, P7D]",
        "[P30D, -P7D]",
        (
            "plan.yaml:24: results.versions[0].reminders.before[1]: -P7D is not before the due instant; "
            "a reminder comes before what it reminds of"
        ),
    ),
    (
        "[P30D, P7D]",
        "[P30D, PT0S]",
        (
            "plan.yaml:24: results.versions[0].reminders.before[1]: PT0S is not before the due instant; "
            "a reminder comes before what it reminds of"
        ),
    ),
    (
        "[P30D, P7D]",
        "[P30D, 7 days]",
        (
            "plan.yaml:24: results.versions[0].reminders.before[1]: '7 days' is not an ISO 8601 duration; "
            "write P7D for seven days, PT0S for at once"
        ),
    ),
    (
        "[P30D, P7D]",
        "[P400D, P7D]",
        (
            "plan.yaml:24: warning: results.versions[0].reminders.before[0]: P400D before the due date lies before "
            "2017 opens, on 2017-01-01"
        ),
    ),
    (
        "[PT0S, P3D]",
        "[-P1D]",
        "plan.yaml:25: results.versions[0].reminders.after[0]: -P1D falls before the due instant",
    ),
    (
        "then_every: P7D",
        "then_every: PT0S",
        (
            "plan.yaml:26: results.versions[0].reminders.then_every: an interval that does not go forward "
            "would urge for ever; write P7D for weekly"
        ),
    ),
    (
        "then_every: P7D",
        "then_every: PT59M",
        "plan.yaml:26: results.versions[0].reminders.then_every: urging more than once an hour helps nobody",
    ),
    (
        "cut_off: {month: 11, day: 30}",
        "cut_off: {month: 12, day: 14}",
        (
            "plan.yaml:30: warning: results.versions[1].due: 2021 is due by the end of 2021-12-09, "
            "before the cut-off of its figures on 2021-12-14"
        ),
    ),
    (
        "cel: indicators.loans >= 0.0",
        "cel: indicators.loans >=",
        (
            "plan.yaml:39: results.versions[1].requires.checks[0].cel: "
            "not a condition, at 1:20: the condition ends too early"
        ),
    ),
    (
        "cel: indicators.loans >= 0.0",
        "cel: attachments.all(a, attachments.all(b, a == b))",
        "plan.yaml:39: results.versions[1].requires.checks[0].cel: not a condition, at 1:1: the condition is too ",
    ),
    (
        "cel: indicators.loans >= 0.0",
        "cel: sections.all(a, a.matches('('))",
        "plan.yaml:39: results.versions[1].requires.checks[0].cel: not a condition, at 1:19: '(' is no regular",
    ),
    (
        "cel: indicators.loans >= 0.0",
        "cel: figures.loans >= 0.0",
        (
            "plan.yaml:39: warning: results.versions[1].requires.checks[0].cel: "
            "nothing in a submission is called 'figures'; "
            "there are attachments, indicators, nil_return, sections, signed_by"
        ),
    ),
    (
        "max: 9",
        "max: -1",
        (
            "plan.yaml:36: results.versions[1].requires.indicators[0].max: -1 is less than `min`, 0; "
            "no figure can satisfy both"
        ),
    ),
    (
        "quote: gửi kết quả",
        'quote: "gửi\\nkết\\u200Bquả"',
        "plan.yaml:14: results.citation.quote: holds the invisible character U+200B",
    ),
    ("max: 9", "max: .nan", "plan.yaml:36: results.versions[1].requires.indicators[0].max: "),
    ("max: 9", "max: .inf", "plan.yaml:36: results.versions[1].requires.indicators[0].max: "),
    ("recipient: bank", "kind: report", "plan.yaml:17: results.kind: 'report' is not one of "),
    ("version: 1", "version: one", "plan.yaml:2: version: 'one': input should be a valid integer"),
    ("title: {vi: Kế hoạch}", "title: Kế hoạch", "plan.yaml:3: title: 'Kế hoạch' is no mapping of keys to values"),
    ("version: 1", "version: 1\nversion: 2", "plan.yaml:3: version: stands twice; the first is at line 2"),
    ("plan: P-1\n", "", "plan.yaml:1: plan: missing"),
    ("      - from: 2020-01-01\n        rec", "      - rec", "plan.yaml:28: results.versions[1].from: missing"),
    (
        "      - from: 2016-05-05",
        "      - from: 2016-05-04",
        "plan.yaml:19: warning: results.versions[0].from: a plan binds from its day of issue, 2016-05-05",
    ),
    (
        "recurrence: year\n        due: {month: 12, day: 10}",
        "recurrence: once\n        due: {date: 2016-05-20}",
        "plan.yaml:24: warning: results.versions[0].reminders.before[0]: P30D before the due date lies before",
    ),
    (
        "recurrence: year\n        due: {month: 12, day: 10}",
        "recurrence: none\n        due: {month: 12, day: 10}",
        "plan.yaml:22: results.versions[0].due: a continuous duty (`recurrence: none`) has no period",
    ),
    (
        "due: {month: 12, day: 10}",
        "due: {date: 2016-12-10}",
        "plan.yaml:22: results.versions[0].due.date: one fixed date cannot recur; write `month` and `day`",
    ),
    (
        "due: {month: 12, day: 10}",
        "due: {month: 2, day: 29}",
        "plan.yaml:22: warning: results.versions[0].due.day: 29 February comes every four years",
    ),
    (
        "due: {month: 12, day: 10}",
        "due: null",
        "plan.yaml:23: warning: results.versions[0].reminders: a duty without a due date is never reminded of",
    ),
    (
        "due: {month: 12, day: 10}",
        "due: {month: 12, day: 10, offset: P0.5M}",
        "plan.yaml:22: results.versions[0].due.offset: 'P0.5M' is not an ISO 8601 duration",
    ),
    ("addressees: [huyen, so-a]", "addressees: huyen", "plan.yaml:16: results.addressees: 'huyen' is no list"),
    ("due: {month: 12, day: 10}", "due: {month: 12, day: x}", "plan.yaml:22: results.versions[0].due.day: 'x': input "),
    (
        "due: {month: 12, day: 10}",
        "due: {month: 12, day: [1]}",
        "plan.yaml:22: results.versions[0].due.day: [1]: input ",
    ),
    ("addressees: [huyen, so-a]", "addressees: []", "plan.yaml:16: results.addressees: empty"),
    (
        "addressees: [huyen, so-a]",
        "addressees: [huyen, huyen]",
        "plan.yaml:16: warning: results.addressees[1]: 'huyen' is used twice; it stands already at obligations[0]",
    ),
    ("quote: gửi kết quả", "quote: 12", "plan.yaml:14: results.citation.quote: 12 is no text; put it in quotes"),
    ("source: kh\n", "source: k h\n", "plan.yaml:12: results.citation.source: "),
    ("cel: indicators.loans >= 0.0", 'cel: ""', "plan.yaml:39: results.versions[1].requires.checks[0].cel: empty"),
    (
        "issuer: tinh",
        "grading: [{grade: A, title: {vi: Tốt}, when: status ==}]",
        "plan.yaml:5: grading[0].when: not a condition, at ",
    ),
    (
        "issuer: tinh",
        "grading: [{grade: A, title: {vi: Tốt}, when: lateness > 0}]",
        "plan.yaml:5: grading[0].when: nothing that is graded is called 'lateness'; there are days_late, ",
    ),
    ("issuer: tinh", "zone: Asia/Saigong", "plan.yaml:5: zone: 'Asia/Saigong' is not an IANA time zone"),
    (
        "recurrence: year\n        due: {",
        "recurrence: month\n        due: {",
        "plan.yaml:22: warning: results.versions[0].due.month: a month has 1 months and `month` counts from its first",
    ),
]


@pytest.mark.parametrize("old, new, expected", PLAN_FAULTS)
def test_a_fault_of_the_plan_is_named_at_its_line(old: str, new: str, expected: str) -> None:
    """Each fault is one line, FILE:LINE: message, and nothing else is blamed for it."""
    found = faults_in(plan=replace_once(PLAN, old, new))
    assert any(line.startswith(expected) for line in found), found
    assert {line.split(":")[1] for line in found} == {expected.split(":")[1]}


def test_a_reminder_before_the_beginning_of_the_calendar_is_refused() -> None:
    """A duration longer than a century is refused, so that no date leaves the calendar's range."""
    plan = replace_once(replace_once(PLAN, "- from: 2016-05-05", "- from: 1500-01-01"), "[P30D, P7D]", "[P1900Y]")
    expected = "plan.yaml:24: results.versions[0].reminders.before[0]: 'P1900Y' is longer than a century"
    assert any(line.startswith(expected) for line in faults_in(plan))


def test_a_group_without_members_is_pointed_out() -> None:
    """An obligation whose group never has a member is a warning."""
    registry = REGISTRY.replace("      - {id: huyen, from", "      - {id: xa, from")
    registry = registry.replace("groups:\n  - {", "groups:\n  - {id: xa, name: {vi: Xã}}\n  - {", 1)
    expected = "plan.yaml:16: warning: results.addressees[0]: no agency is ever a member of 'huyen'; nobody owes this"
    assert faults_in(registry=registry) == [expected]
