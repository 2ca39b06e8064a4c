"""Settings of the agent: GitHub, a model, and what a model costs."""

from __future__ import annotations

import os

from pydantic import AliasChoices, Field, SecretStr

from services.miner_agent.settings import MinerSettings

SECRETS = (
    "QUASAR_GITHUB_TOKEN",
    "GITHUB_TOKEN",
    "QUASAR_MODEL_TOKEN",
    "OPENAI_API_KEY",
)


class AgentSettings(MinerSettings):
    """What `quasar miner run` reads from the environment."""

    github_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("QUASAR_GITHUB_TOKEN", "GITHUB_TOKEN"),
        description="Forks with --github, and pushes over https.",
    )
    github_url: str = Field(
        default="https://api.github.com",
        description="GitHub's API, or an Enterprise server's.",
    )
    model_url: str | None = Field(
        default=None,
        description=(
            "What stands before /chat/completions at an OpenAI-compatible"
            " endpoint."
        ),
    )
    model_name: str = Field(
        default="default", description="Which of the endpoint's models."
    )
    model_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("QUASAR_MODEL_TOKEN", "OPENAI_API_KEY"),
        description="What the endpoint knows its customer by, if it asks.",
    )
    model_timeout_seconds: float = Field(
        default=600.0,
        gt=0,
        description="How long a whole reply may take.",
    )
    model_reply_tokens: int = Field(
        default=32_768, ge=256, description="The longest reply, in tokens."
    )
    model_prompt_price: float = Field(
        default=0.0, ge=0, description="For a million tokens of a prompt."
    )
    model_reply_price: float = Field(
        default=0.0, ge=0, description="For a million tokens of a reply."
    )

    max_tries: int | None = Field(
        default=None, ge=1, description="Changes of a shift; unset: no bound."
    )
    max_hours: float | None = Field(
        default=None, gt=0, description="Hours at work of a shift."
    )
    max_cost: float | None = Field(
        default=None, ge=0, description="What a shift's calls may cost."
    )
    quiet_hours: str | None = Field(
        default=None, description="When nothing is run, as 22:00-07:30."
    )
    min_gain: float | None = Field(
        default=None,
        ge=0,
        description=(
            "By how much a change must be faster at least, 0.01 for 1 %;"
            " unset, half of the round's `min_improvement`."
        ),
    )

    @staticmethod
    def forget_secrets() -> None:
        """Take the tokens out of this process's environment.

        They have been read; what is started from here on, the judge above
        all, never has them.
        """
        for name in SECRETS:
            os.environ.pop(name, None)


def revealed(secret: SecretStr | None) -> str | None:
    """A secret's text, for the one place that uses it."""
    return secret.get_secret_value() if secret is not None else None
