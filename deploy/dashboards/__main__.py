"""`python -m deploy.dashboards`: write the dashboards that Grafana loads."""

from __future__ import annotations

from deploy.dashboards.boards import BOARDS
from deploy.dashboards.files import FOLDER, encoded


def main() -> None:
    """Write every dashboard into its file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        path = FOLDER / f"{board.uid}.json"
        path.write_text(encoded(board), encoding="utf-8")


if __name__ == "__main__":
    main()
