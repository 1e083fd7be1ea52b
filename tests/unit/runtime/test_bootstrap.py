"""Old names of settings are accepted for one version."""

from services.runtime import bootstrap

RENAMED = {"DONDOC_OLD": "DONDOC_NEW"}


def test_an_old_name_sets_the_new_one() -> None:
    """The value is taken over, and the pair is returned so that a warning can name both."""
    environment = {"DONDOC_OLD": "3"}
    assert bootstrap.adopt_renamed_variables(environment, RENAMED) == RENAMED
    assert environment["DONDOC_NEW"] == "3"


def test_the_new_name_wins() -> None:
    """Whoever sets both has begun to move over."""
    environment = {"DONDOC_OLD": "3", "DONDOC_NEW": "4"}
    bootstrap.adopt_renamed_variables(environment, RENAMED)
    assert environment["DONDOC_NEW"] == "4"


def test_an_empty_variable_counts_as_not_set() -> None:
    """A compose file passes `${NAME:-}` on as an empty variable, under the new name as under the old one."""
    environment = {"DONDOC_OLD": "3", "DONDOC_NEW": ""}
    bootstrap.adopt_renamed_variables(environment, RENAMED)
    assert environment["DONDOC_NEW"] == "3"
    assert bootstrap.adopt_renamed_variables({"DONDOC_OLD": ""}, RENAMED) == {}


def test_nothing_is_said_of_new_names() -> None:
    """A warning is for old names alone."""
    assert bootstrap.adopt_renamed_variables({"DONDOC_NEW": "4"}, RENAMED) == {}
