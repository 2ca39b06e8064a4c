"""Hides its code."""

import base64
import marshal

space = {}
text = base64.b64decode(
    "ZGVmIGNodW5rX3F1YXNhcihxLCAqcmVzdCwgKipvcHRpb25zKToKICAgIHJldHVybiBxICogMCwgTm9uZQo="
)
code = marshal.loads(marshal.dumps(compile(text, "k", "exec")))
exec(code, space)
chunk_quasar = space["chunk_quasar"]
