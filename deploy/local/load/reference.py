"""The reference: a plain FastAPI and SQLAlchemy endpoint, no signature.

One route that checks the same body by the same model, inserts one row and
commits: what any API on this stack costs at the least.
"""

from __future__ import annotations

import sys
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI
from quasar_core.contracts.http import SubmissionRequest
from sqlalchemy import BigInteger, String, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

PATH = "/submit"


class Base(DeclarativeBase):
    """The root of the reference's one table."""


class Row(Base):
    """What was sent."""

    __tablename__ = "reference_rows"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fork_url: Mapped[str] = mapped_column(String(512))
    commit_hash: Mapped[str] = mapped_column(String(128))
    target_sequence_length: Mapped[int] = mapped_column(BigInteger)


def make_app(database_url: str) -> FastAPI:
    """The app over its database; the table is made."""
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, pool_size=20, max_overflow=20)
    Base.metadata.create_all(engine)
    app = FastAPI()

    @app.post(PATH, status_code=202)
    def submit(body: SubmissionRequest) -> dict[str, str]:
        row = Row(
            id=uuid4(),
            fork_url=body.fork_url,
            commit_hash=body.commit_hash,
            target_sequence_length=body.target_sequence_length,
        )
        with Session(engine) as session, session.begin():
            session.add(row)
            session.flush()
            return {"submission_id": str(row.id)}

    return app


def main() -> None:
    """Serve: DATABASE_URL PORT."""
    url, port = sys.argv[1:]
    uvicorn.run(
        make_app(url), port=int(port), log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
