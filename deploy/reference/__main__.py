"""`python -m deploy.reference`: write what is generated from the settings."""

from __future__ import annotations

from deploy.reference.files import FILES


def main() -> None:
    """Write the reference and the example environment."""
    for path, text in FILES.items():
        path.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
