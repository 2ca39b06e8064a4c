"""What the settings classes say of the environment they read."""

from pydantic import BaseModel, Field, SecretStr
from quasar_core.settings import ChainSettings, CoreSettings
from quasar_core.worker.settings import WorkerSettings

from deploy.reference.variables import (
    keys_of,
    secret_of,
    sections,
    variables_of,
    written,
)
from services.api.settings import DatabaseSettings
from services.verifier_worker.settings import Settings as VerifierSettings


def named(holder):
    return {each.name: each for each in variables_of(holder)}


def test_a_variable_stands_with_the_class_that_adds_it():
    found = sections()
    assert found[0].holder is CoreSettings
    assert len(found[0].readers) == 7
    assert list(named(ChainSettings)) == [
        "QUASAR_CHAIN_URL",
        "QUASAR_NETUID",
        "QUASAR_BLOCK_SECONDS",
    ]
    assert named(ChainSettings)["QUASAR_NETUID"].also == ("NETUID",)


def test_what_every_reader_overrides_is_told_where_it_is_overridden():
    assert "QUASAR_WORKER_NAME" not in named(WorkerSettings)
    found = named(VerifierSettings)["QUASAR_WORKER_NAME"]
    assert found.default == "verifier-host"


def test_a_secret_is_named_as_one():
    assert named(DatabaseSettings)["QUASAR_DATABASE_URL"].secret
    assert not named(CoreSettings)["QUASAR_LOG_LEVEL"].secret


class Inner(BaseModel):
    depth: int = 3


class Outer(BaseModel):
    inner: Inner = Inner()
    token: SecretStr | None = None
    name: str = Field(description="Two\nlines.")


def test_keys_lead_into_objects_and_say_what_must_be_given():
    inner, token, name = keys_of(Outer)
    assert (inner.name, inner.default) == ("inner.depth", "3")
    assert (token.default, token.secret) == ("", "all of it")
    assert (name.default, name.meaning) == (None, "Two lines.")
    assert secret_of(Outer.model_fields["name"]) == ""


def test_a_default_is_told_as_it_is_written():
    assert [
        written(value) for value in (None, Inner(), True, ("a",), {}, 1.5, "x")
    ] == ["", "", "true", '["a"]', "{}", "1.5", "x"]
