"""A stream of chunks; nothing here is an exec, an eval or an os.system."""

from .honest import chunk_quasar as honest

# side stream: torch.cuda.Stream() would be forbidden? no: only a comment
upstream = "subprocess, socket, __import__"


def chunk_quasar(q, k, v, beta, **options):
    """Compile, open, read: words of a docstring."""
    stream_of_chunks, last = honest(q, k, v, beta, **options)
    assert stream_of_chunks.ndim == 4, "evaluate"
    return stream_of_chunks, last
