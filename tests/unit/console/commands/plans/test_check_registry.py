"""Each fault of a registry is named at its line."""

import pytest

from tests.support.builders.valid_documents import REGISTRY, faults_in, replace_once

REGISTRY_FAULTS = [
    (
        "{vi: Sở B mới, from: 2022-01-01}",
        '{vi: "Sở B\\u202Eiớm", from: 2022-01-01}',
        "registry.yaml:18: so-b.names[1].vi: holds the invisible character U+202E; write the text anew without it",
    ),
    (
        "{vi: Sở B mới, from: 2022-01-01}",
        '{vi: "Sở B\\nmới", from: 2022-01-01}',
        "registry.yaml:18: so-b.names[1].vi: holds the invisible character U+000A",
    ),
    (
        "{vi: Sở B mới, from: 2022-01-01}",
        '{vi: "Sở\\0B", from: 2022-01-01}',
        "registry.yaml:18: so-b.names[1].vi: holds the invisible character U+0000",
    ),
    (
        "{vi: Sở B mới, from: 2022-01-01}",
        f"{{vi: {'Sở ' * 101}, from: 2022-01-01}}",
        "registry.yaml:18: so-b.names[1].vi: is too long for a name: 302 characters, at most 300",
    ),
    (
        "on: 2020-01-01",
        "on: 2020-02-01",
        "registry.yaml:30: successions[0].on: 2020-02-01 is not the day on which 'so-a' ends, 2020-01-01",
    ),
    ("to: [so-b]", "to: [so-c]", "registry.yaml:29: successions[0].to[0]: unknown agency 'so-c'; did you mean 'so-b'?"),
    (
        "- {vi: Sở B mới, from: 2022-01-01}",
        "- {vi: Sở B mới, from: 2023-01-01}",
        "registry.yaml:18: so-b.names[1].from: leaves a hole from 2022-01-01 to 2023-01-01 after names[0]",
    ),
    (
        "- {vi: Sở B mới, from: 2022-01-01}",
        "- {vi: Sở B mới, from: 2021-01-01}",
        "registry.yaml:18: so-b.names[1].from: overlaps names[0], which runs to 2022-01-01",
    ),
    (
        "- {vi: Sở B mới, from: 2022-01-01}",
        "- {vi: Sở B mới, from: 2022-01-01, to: 2024-01-01}",
        "registry.yaml:18: warning: so-b.names[1].to: leaves a hole: the agency is valid to 2025-01-01",
    ),
    (
        "{vi: Sở A, from: 2016-05-05}",
        "{vi: Sở A, from: 2017-01-01}",
        "registry.yaml:13: warning: so-a.names[0].from: leaves a hole: the agency is valid from 2016-05-05",
    ),
    (
        "aliases: [so-b-moi]",
        "aliases: [h-1]",
        "registry.yaml:19: so-b.aliases[0]: 'h-1' is used twice; it stands already at agencies[4].id",
    ),
    ("- id: h-1", "- id: so-b", "registry.yaml:20: so-b.id: 'so-b' is used twice; it stands already at agencies[3].id"),
    (
        "valid: {from: 2016-05-05, to: 2020-01-01}",
        "valid: {from: 2020-01-01, to: 2020-01-01}",
        "registry.yaml:12: so-a.valid.to: 2020-01-01 does not come after `from`, 2020-01-01",
    ),
    (
        "- {id: huyen, from: 2021-01-01}",
        "- {id: huyen, from: 2019-01-01}",
        "registry.yaml:25: h-1.groups[1].from: overlaps groups[0], which runs to 2020-01-01",
    ),
    (
        "- {id: huyen, from: 2021-01-01}",
        "- {id: xa, from: 2021-01-01}",
        "registry.yaml:25: h-1.groups[1].id: unknown group 'xa'",
    ),
    (
        "    parent: tinh",
        "    parent: tin",
        "registry.yaml:10: warning: bank.parent: no agency of the registry is 'tin'; did you mean 'tinh'?",
    ),
    (
        "    parent: tinh",
        "    parent: bank",
        "registry.yaml:10: bank.parent: 'bank' is under 'bank' itself; a parent stands above",
    ),
    (
        "holidays: [{date: 2026-01-01, name: Tết}]",
        "holidays: [{date: 2026-01-10, name: Tết}]",
        "registry.yaml:36: working_days[0]: 2026-01-10 is a holiday too; a day is one or the other",
    ),
    (
        "working_days: [2026-01-10]",
        "working_days: [2026-02-30]",
        "registry.yaml:36: working_days[0]: there is no 2026-02-30; that month has 28 days",
    ),
    (
        "    to: []",
        "    to: [h-1]",
        "registry.yaml:33: successions[1].to: an abolition has no heir; write `to: []`, or another type",
    ),
    (
        "valid: {from: 2016-05-05}\n",
        "valid: {from: 2016-5-5}\n",
        "registry.yaml:21: h-1.valid.from: '2016-5-5': write a local date such as",
    ),
    (
        "- {id: huyen, from: 2016-05-05, to: 2020-01-01}",
        "- {id: huyen, from: 2015-05-05, to: 2016-05-05}",
        "registry.yaml:24: warning: h-1.groups[0]: lies outside the dates on which the agency is valid",
    ),
    (
        "to: [so-b]",
        "to: [so-b, h-1]",
        "registry.yaml:29: successions[0].to: a merge_new has one heir; write a split where there are several",
    ),
    (
        "- type: abolish",
        "- type: split",
        "registry.yaml:33: successions[1].to: a split has heirs; write abolish where there is none",
    ),
    (
        "valid: {from: 2016-05-05, to: 2020-01-01}",
        "valid: {from: 2016-05-05}",
        "registry.yaml:30: warning: successions[0].on: 'so-a' ends by this act; say so in its `valid.to`: 2020-01-01",
    ),
    (
        "to: [so-b]",
        "to: [h-1]",
        "registry.yaml:30: warning: successions[0].on: 'h-1' exists since 2016-05-05; a new body begins with the act",
    ),
    (
        "valid: {from: 2020-01-01, to: 2025-01-01}",
        "valid: {from: 2020-02-01, to: 2025-01-01}",
        (
            "registry.yaml:30: successions[0].on: the heir 'so-b' does not exist on 2020-01-01; "
            "it is valid from 2020-02-01 and runs to 2025-01-01"
        ),
    ),
    ("holidays: [{date: 2026-01-01, name: Tết}]", "holidays: [2026-01-01]", "registry.yaml:35: holidays[0]: "),
    (
        "aliases: [so-b-moi]",
        "aliases: [So-A]",
        "registry.yaml:19: warning: so-b.aliases[0]: reads like 'so-a' of so-a; only this exact spelling is found",
    ),
    ("type: abolish", "type: abolished", "registry.yaml:31: successions[1].type: 'abolished' is not one of "),
]


@pytest.mark.parametrize("old, new, expected", REGISTRY_FAULTS)
def test_a_fault_of_the_registry_is_named_at_its_line(old: str, new: str, expected: str) -> None:
    """Each fault is printed on one line as FILE:LINE: message."""
    found = faults_in(registry=replace_once(REGISTRY, old, new))
    assert any(line.startswith(expected) for line in found), found


def test_successions_in_a_circle_are_refused() -> None:
    """An agency that becomes its own successor over several acts is an error."""
    back = "  - {type: merge_into, from: [so-b], to: [so-a], on: 2025-01-01}\nholidays"
    registry = REGISTRY.replace("  - type: abolish\n    from: [so-b]\n    to: []\n    on: 2025-01-01\nholidays", back)
    assert "registry.yaml:31: successions[1]: closes a circle: so-b would follow upon itself" in faults_in(
        registry=registry
    )


def test_an_agency_that_ends_without_an_act_is_pointed_out() -> None:
    """An agency that ends without a succession is a warning, because nobody takes over its duties."""
    registry = REGISTRY.replace("  - type: abolish\n    from: [so-b]\n    to: []\n    on: 2025-01-01\n", "")
    assert faults_in(registry=registry) == [
        "registry.yaml:15: warning: so-b.valid.to: ends without a succession; its open duties end with no successor"
    ]
