import pytest
from quasar_core.domain.commitments import opens
from quasar_core.worker.locks import LockTaken

from services.miner_agent.journal import Journal, JournalFault, Page, Step
from tests.support.sealed import SALT
from tests.support.wallets import address


def a_page(**changes):
    fields = {
        "step": Step.SEALED,
        "netuid": 24,
        "hotkey": address("miner"),
        "fork_url": "https://github.com/miner/fork",
        "remote": "origin",
        "commit_hash": "c" * 40,
        "target_sequence_length": 1_000,
        "salt": SALT,
        "commitment_hash": "d" * 64,
    }
    return Page(**{**fields, **changes})


def test_a_page_is_there_for_whoever_opens_the_journal_next(tmp_path):
    page = Journal(tmp_path / "journal").put(a_page())
    later = page.model_copy(update={"step": Step.COMMITTED})
    again = Journal(tmp_path / "journal")
    assert again.pages() == [page]
    again.put(later)
    assert again.pages() == [later]
    (kept,) = (tmp_path / "journal").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700


def test_pages_are_by_subnet_and_hotkey_and_lost_ones_are_none(tmp_path):
    journal = Journal(tmp_path)
    mine = journal.put(a_page())
    journal.put(a_page(commitment_hash="a" * 64, netuid=439))
    journal.put(a_page(commitment_hash="b" * 64, hotkey=address("other")))
    journal.put(a_page(commitment_hash="c" * 64, step=Step.LOST))
    assert journal.of(24, address("miner")) == [mine]
    assert len(journal.pages()) == 4


def test_a_page_that_cannot_be_read_is_named_and_not_passed_over(tmp_path):
    journal = Journal(tmp_path)
    journal.put(a_page())
    (tmp_path / f"{'d' * 64}.json").write_text("{")
    with pytest.raises(JournalFault, match=r"dddd.*holds the salt"):
        journal.pages()


def test_a_draft_that_was_left_behind_is_no_page(tmp_path):
    (tmp_path / ".x.draft").write_text("{")
    (tmp_path / ".x.json").write_text("{")
    assert Journal(tmp_path).pages() == []


def test_one_program_at_a_time_goes_on(tmp_path):
    first, second = Journal(tmp_path), Journal(tmp_path)
    with first.held(), pytest.raises(LockTaken, match="let it finish"):
        second.held().__enter__()
    with second.held():
        pass


def test_a_page_opens_what_it_sealed():
    opening = a_page().opening.model_dump(exclude_none=True)
    commitment = opening.pop("commitment_hash")
    assert not opens(commitment, hotkey=address("miner"), **opening)
    assert a_page().branch == "quasar-cccccccccccc"
