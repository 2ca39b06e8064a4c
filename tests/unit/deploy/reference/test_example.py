"""The example environment reads back as the defaults."""

import pytest
from pydantic import ValidationError

from deploy.reference.example import example, lines_of
from deploy.reference.variables import READERS, Variable
from services.api.settings import Settings as ApiSettings
from tests.support.wallets import address

HOST_NAMED = {"worker_name"}
DIFFERS = {"wallet_name"}


def uncommented(text):
    return text.replace("\n#QUASAR_", "\nQUASAR_")


@pytest.mark.parametrize("reader", READERS)
def test_the_example_sets_what_is_the_default_anyway(
    reader, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUASAR_RECEIVER_HOTKEY", address("api"))
    kind = READERS[reader]
    without = kind()
    (tmp_path / ".env").write_text(uncommented(example()))
    told = kind()
    ignored = HOST_NAMED | DIFFERS
    assert told.model_dump(exclude=ignored) == without.model_dump(
        exclude=ignored
    )


def test_what_must_be_given_is_not_commented_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(example())
    with pytest.raises(
        ValidationError, match="receiver_hotkey\n  Field required"
    ):
        ApiSettings()


def test_a_setting_says_its_other_names_and_what_of_it_is_secret():
    told = lines_of(Variable("QUASAR_X", "", None, "It.", "its end", ("X",)))
    assert told == "# It. Also read from X. Secret: its end.\nQUASAR_X=\n"
