"""The page of every setting."""

from quasar_core.settings import CoreSettings

from deploy.reference.page import (
    default,
    escaped,
    listed,
    page,
    row,
    title_of,
    who,
)
from deploy.reference.variables import Section, Variable, sections

PLAIN = Variable("QUASAR_X", "text", "a", "Means a|b.", "")


def test_a_row_holds_all_that_is_known_of_a_variable():
    assert row(PLAIN) == "| `QUASAR_X` | text | `a` | Means a\\|b. | no |\n"
    secret = Variable("QUASAR_X", "text", None, "It.", "its end", ("X",))
    assert row(secret) == (
        "| `QUASAR_X`<br>`X` | text | **must be given** | It. | its end |\n"
    )


def test_a_missing_default_is_told_from_an_empty_one():
    unset = Variable("QUASAR_X", "text", "", "", "")
    assert default(unset) == "unset"


def test_names_are_listed_as_people_do():
    assert listed(("a",)) == "a"
    assert listed(("a", "b", "c")) == "a, b and c"


def test_a_section_says_what_it_is_and_who_reads_it():
    first, *_, last = sections()
    assert title_of(first).startswith("What every process reads")
    assert (who(first), who(last)) == (
        "everybody",
        "the administrator's commands",
    )
    assert title_of(Section(CoreSettings, (), ()))


def test_the_page_has_every_variable_and_the_judges_keys():
    text = page()
    for section in sections():
        for variable in section.variables:
            assert f"| `{variable.name}`" in text
    assert "| `limits.smoke_seconds` | number above 0 |" in text


def test_a_bar_in_a_cell_does_not_end_it():
    assert escaped("a|b") == "a\\|b"
