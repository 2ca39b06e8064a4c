"""A GitHub on this machine: its fork API, and git behind the same token."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.git_server import GitHandler, git_server

TOKEN = "ghp_very-secret-token"


@dataclass
class GitHubServer:
    """Its repositories lie below `root` as OWNER/NAME.git."""

    root: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)
    pushed_by: list[str | None] = field(default_factory=list)
    polls_until_ready: int = 2
    """A fork is answered for before there is anything in it."""
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answered first, one by one: status and headers."""

    def add(self, full_name: str, source: Path) -> Path:
        """A bare copy of a repository under this name."""
        path = self.root / f"{full_name}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["git", "clone", "--quiet", "--bare", str(source), str(path)],
            check=True,
        )
        for word in ("http.receivepack", "uploadpack.allowAnySHA1InWant"):
            subprocess.run(
                ["git", "-C", str(path), "config", word, "true"], check=True
            )
        return path

    def answer(self, handler: GitHandler) -> bool:
        """What GitHub itself answers; False for what git answers."""
        path = handler.path.partition("?")[0]
        who = handler.headers["Authorization"]
        if not path.startswith("/repos/"):
            return self._guard(handler, who)
        if who != f"Bearer {TOKEN}":
            self._say(handler, 401, {"message": "Bad credentials"})
        elif self.faults:
            status, headers = self.faults.pop(0)
            self._say(handler, status, {"message": "no"}, **headers)
        else:
            self._api(handler, path)
        return True

    def _guard(self, handler: GitHandler, who: str | None) -> bool:
        """Reading is free; whoever pushes shows his token."""
        if "receive-pack" not in handler.path:
            return False
        pair = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        self.pushed_by.append(who)
        if who == f"Basic {pair}":
            return False
        challenge = {"WWW-Authenticate": 'Basic realm="GitHub"'}
        self._say(handler, 401, {"message": "who are you?"}, **challenge)
        return True

    def _api(self, handler: GitHandler, path: str) -> None:
        _, _, owner, name, what = path.split("/")
        if what == "forks" and handler.command == "POST":
            source = self.root / owner / f"{name}.git"
            if not source.exists():
                self._say(handler, 404, {"message": "Not Found"})
                return
            if not (self.root / "me" / f"{name}.git").exists():
                self.add(f"me/{name}", source)
            value = {
                "full_name": f"me/{name}",
                "clone_url": f"{self.url}/me/{name}.git",
                "fork": True,
            }
            self._say(handler, 202, value)
        elif self.polls_until_ready:
            self.polls_until_ready -= 1
            self._say(handler, 409, {"message": "Git Repository is empty."})
        else:
            self._say(handler, 200, {})

    @staticmethod
    def _say(
        handler: GitHandler,
        status: int,
        value: dict[str, object],
        **headers: str,
    ) -> None:
        kind = {"Content-Type": "application/json; charset=utf-8"}
        handler.answer(status, {**kind, **headers}, json.dumps(value).encode())


@contextmanager
def github_server(root: Path) -> Iterator[GitHubServer]:
    """Serve until the end of the block."""
    state = GitHubServer(root)
    with git_server(root, state.answer) as (state.url, state.asked):
        yield state
