"""Variables: what the settings classes say of the environment they read."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from quasar_core.settings import CoreSettings, Secret
from quasar_core.worker.settings import name_on_host

from deploy.reference.kinds import kind_of
from services.api.admin.settings import AdminSettings
from services.api.settings import Settings as ApiSettings
from services.benchmark_worker.settings import Settings as BenchmarkSettings
from services.miner_agent.agent.settings import AgentSettings
from services.miner_agent.settings import MinerSettings
from services.verifier_worker.settings import Settings as VerifierSettings
from services.weight_setter.settings import WeightSetterSettings

READERS: Mapping[str, type[CoreSettings]] = MappingProxyType(
    {
        "the API": ApiSettings,
        "the benchmark worker": BenchmarkSettings,
        "the verifier worker": VerifierSettings,
        "the weight setter": WeightSetterSettings,
        "the miner's commands": MinerSettings,
        "the miner's agent": AgentSettings,
        "the administrator's commands": AdminSettings,
    }
)
"""Who reads which settings."""


@dataclass(frozen=True)
class Variable:
    """One setting as whoever writes an environment meets it.

    `default` is as it is written there; None: it must be given.
    """

    name: str
    kind: str
    default: str | None
    meaning: str
    secret: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """The settings that one class adds, and who reads them."""

    holder: type[CoreSettings]
    readers: tuple[str, ...]
    variables: tuple[Variable, ...]


def sections() -> tuple[Section, ...]:
    """All settings that are read, each class once, its bases before it."""
    holders: dict[type[CoreSettings], list[str]] = {}
    for reader, settings in READERS.items():
        for holder in reversed(settings.__mro__):
            if issubclass(holder, CoreSettings):
                holders.setdefault(holder, []).append(reader)
    return tuple(
        Section(holder, tuple(readers), found)
        for holder, readers in holders.items()
        if (found := tuple(variables_of(holder)))
    )


def variables_of(holder: type[CoreSettings]) -> Iterator[Variable]:
    """The settings that a class itself adds, in its own order."""
    for name, field in holder.model_fields.items():
        if any(_defines(holder, name, each) for each in READERS.values()):
            first, *others = environment_names(holder, name, field)
            yield Variable(
                name=first,
                kind=kind_of(field),
                default=default_of(field),
                meaning=meaning_of(field),
                secret=secret_of(field),
                also=tuple(others),
            )


def _defines(
    holder: type[CoreSettings], name: str, settings: type[CoreSettings]
) -> bool:
    """Whether these settings have that field from `holder`."""
    return holder is next(
        (
            each
            for each in settings.__mro__
            if name in inspect.get_annotations(each)
        ),
        None,
    )


def environment_names(
    holder: type[CoreSettings], name: str, field: FieldInfo
) -> tuple[str, ...]:
    """Where a setting is read from: its own name first."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    if isinstance(alias, str):
        return (alias,)
    return (f"{holder.model_config.get('env_prefix', '')}{name}".upper(),)


def keys_of(model: type[BaseModel], before: str = "") -> Iterator[Variable]:
    """The keys of a setting that is a JSON object; dots lead deeper."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys_of(inner, f"{before}{name}.")
        else:
            yield Variable(
                name=f"{before}{name}",
                kind=kind_of(field),
                default=default_of(field),
                meaning=meaning_of(field),
                secret=secret_of(field),
            )


def default_of(field: FieldInfo) -> str | None:
    """A default as it is written in an environment; None: it has none."""
    if field.is_required():
        return None
    factory = field.default_factory
    if isinstance(factory, partial) and factory.func is name_on_host:
        return f"{factory.args[0]}-host"
    return written(field.get_default(call_default_factory=True))


def written(value: Any) -> str:
    """A value as it is written in an environment; of a model, nothing."""
    if value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list | dict):
        return json.dumps(value)
    return str(value)


def meaning_of(field: FieldInfo) -> str:
    """The description, on one line."""
    return " ".join((field.description or "").split())


def secret_of(field: FieldInfo) -> str:
    """What of it is secret; empty: nothing is."""
    for mark in field.metadata:
        if isinstance(mark, Secret):
            return mark.what
    hidden = field.annotation in {SecretStr, SecretStr | None}
    return "all of it" if hidden else ""
