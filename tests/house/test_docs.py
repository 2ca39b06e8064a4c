"""The documents keep up with what they describe."""

import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import pytest
from quasar_core.errors import (
    REJECTION_SENTENCES,
    ProblemCode,
    RejectionCode,
)
from quasar_core.messaging.topology import POOLED, TOPOLOGY
from quasar_core.settings import CoreSettings

import services
from deploy.reference.files import FILES
from deploy.reference.variables import READERS, sections
from services.cli import COMMANDS, load
from tests.support.series import shown

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
RUNBOOKS = DOCS / "runbooks"
ROUTINES = {
    "drain-a-worker.md",
    "judge-again.md",
    "open-a-round.md",
    "restore-a-backup.md",
    "rotate-a-secret.md",
    "rotate-the-api-hotkey.md",
    "upgrade.md",
}
"""What is done without an alert, a page each."""


def settings_classes():
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.endswith(".settings"):
            found = importlib.import_module(module.name)
            for value in vars(found).values():
                if isinstance(value, type) and issubclass(value, CoreSettings):
                    yield value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_generated_from_the_settings_is_up_to_date(path):
    assert path.read_text() == FILES[path](), "run `make configuration`"


def test_no_settings_are_left_out_of_the_reference():
    told = {each for one in READERS.values() for each in one.__mro__}
    assert set(settings_classes()) - told == set()


def test_every_setting_says_what_it_means():
    silent = [
        each.name
        for section in sections()
        for each in section.variables
        if not each.meaning.endswith(".")
    ]
    assert silent == []


def test_every_variable_stands_in_the_example_environment_once():
    text = (ROOT / ".env.example").read_text()
    shown = re.findall(r"^#?(QUASAR_[A-Z0-9_]+)=", text, re.MULTILINE)
    known = {each.name for one in sections() for each in one.variables}
    assert sorted(shown) == sorted(known)


@pytest.mark.parametrize("code", list(RejectionCode))
def test_every_rejection_has_a_sentence_and_a_page_in_the_rules(code):
    sentence = REJECTION_SENTENCES[code]
    assert sentence.endswith(".")
    page = (DOCS / "rules.md").read_text()
    assert f"### `{code.value}`" in page
    assert sentence in " ".join(page.split())


@pytest.mark.parametrize("code", list(ProblemCode))
def test_every_refusal_of_the_api_is_explained_in_the_rules(code):
    assert f"| `{code.value}` |" in (DOCS / "rules.md").read_text()


def test_the_event_table_is_the_topology():
    text = (DOCS / "architecture.md").read_text()
    shown = re.findall(
        r"^\| `(\w+)` \| `([a-z.]+)` \| `([^`]+)` \|", text, re.MULTILINE
    )
    true = [
        (
            event.__name__,
            event.event_name,
            f"{queue}.<pool>" if queue in POOLED else queue,
        )
        for event, queue in TOPOLOGY.items()
    ]
    assert shown == true


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    text = (ROOT / "deploy/prometheus/rules/alerts.yml").read_text()
    alerts = re.findall(r"- alert: (\w+)", text)
    named = re.findall(r"runbook: docs/runbooks/([a-z-]+\.md)", text)
    assert len(alerts) == len(named) > 0
    pages = {page.name for page in (DOCS / "runbooks").glob("*.md")}
    assert set(named) <= pages, "an alert without a page"
    for name in named:
        page = (DOCS / "runbooks" / name).read_text()
        assert "## Look" in page
        assert "## Do" in page


def test_every_series_that_a_page_names_is_shown_by_a_process():
    named = {
        (page.name, name)
        for page in DOCS.rglob("*.md")
        for name in re.findall(r"`(quasar_(?!core)\w+)", page.read_text())
    }
    assert named
    known = shown()
    assert {each for each in named if each[1] not in known} == set()


def test_every_routine_has_a_runbook_that_an_owner_finds():
    text = (ROOT / "deploy/prometheus/rules/alerts.yml").read_text()
    alerts = set(re.findall(r"runbook: docs/runbooks/([a-z-]+\.md)", text))
    pages = {page.name for page in RUNBOOKS.glob("*.md")}
    assert pages - alerts == ROUTINES
    owner = (DOCS / "owners.md").read_text()
    assert {name for name in ROUTINES if f"runbooks/{name})" not in owner} == (
        set()
    )


def commands_in(page):
    """What a page tells to run of `quasar`, as lists of words."""
    text = page.read_text()
    blocks = re.findall(r"^ *```\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    inline = re.findall(
        r"`([^`]+)`",
        re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE),
    )
    for line in [*"".join(blocks).splitlines(), *inline]:
        if found := re.search(
            r"(?:^|(?<!-U)\s)quasar ([a-z].*)", " ".join(line.split())
        ):
            yield shlex.split(found[1], comments=True)


@pytest.mark.parametrize(
    "page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem
)
def test_a_runbook_tells_only_commands_that_there_are(page):
    for first, *rest in commands_in(page):
        command = load(first, COMMANDS[first])
        words = list(rest)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not getattr(command, "commands", {}), f"{first} {rest}"
        known = {name for each in command.params for name in each.opts}
        options = {word for word in words if word.startswith("--")}
        assert options <= known, f"{first} {rest}"


def test_the_routines_tell_what_they_are_for():
    told = {
        tuple(words[:2])
        for name in ROUTINES
        for words in commands_in(RUNBOOKS / name)
    }
    orders = {"open-round", "close-round", "config", "log"}
    orders |= {"requeue", "quarantine", "release", "invalidate"}
    orders |= {"backup", "rebuild"}
    assert {("admin", order) for order in orders} <= told


def test_every_decision_record_has_its_parts():
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert records
    for number, record in enumerate(records, start=1):
        assert record.name.startswith(f"{number:04d}-")
        text = record.read_text()
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{record.name} lacks {part!r}"
