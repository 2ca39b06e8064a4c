"""The documents keep up with what they describe."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from pydantic import AliasChoices
from quasar_core.errors import (
    REJECTION_SENTENCES,
    ProblemCode,
    RejectionCode,
)
from quasar_core.messaging.topology import POOLED, TOPOLOGY
from quasar_core.settings import CoreSettings

import services

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def settings_classes():
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.endswith(".settings"):
            found = importlib.import_module(module.name)
            for value in vars(found).values():
                if isinstance(value, type) and issubclass(value, CoreSettings):
                    yield value


def environment_names(settings):
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        choices = (
            [str(choice) for choice in alias.choices]
            if isinstance(alias, AliasChoices)
            else []
        )
        prefixed = [one for one in choices if one.startswith(prefix)]
        yield (prefixed or [f"{prefix}{name}".upper()])[0]


def test_the_example_environment_names_every_setting_and_no_other():
    text = (ROOT / ".env.example").read_text()
    shown = set(re.findall(r"^#? ?(QUASAR_[A-Z0-9_]+)=", text, re.MULTILINE))
    known = {
        name
        for settings in {CoreSettings, *settings_classes()}
        for name in environment_names(settings)
    }
    assert known - shown == set(), "settings missing from .env.example"
    assert shown - known == set(), ".env.example names unknown settings"


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


def test_every_decision_record_has_its_parts():
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert records
    for number, record in enumerate(records, start=1):
        assert record.name.startswith(f"{number:04d}-")
        text = record.read_text()
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{record.name} lacks {part!r}"
