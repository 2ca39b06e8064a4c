"""The tables of names: what a kernel may not use, whatever it is of."""

from __future__ import annotations

DANGEROUS = frozenset(
    {
        # Modules that lead out of any library which imports them.
        "_os",
        "_sys",
        "_thread",
        "asyncio",
        "bltns",
        "builtins",
        "codeop",
        "copyreg",
        "cpp_extension",
        "ctypes",
        "fcntl",
        "gc",
        "importlib",
        "inspect",
        "linecache",
        "marshal",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "pickle",
        "pkgutil",
        "posix",
        "pty",
        "runpy",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "zipimport",
        # Code in another language, libraries, files.
        "CUDAPluggableAllocator",
        "extern_elementwise",
        "from_file",
        "import_module",
        "inline_asm_elementwise",
        "jiterator",
        "load_inline",
        "load_library",
        "memmap",
        "tofile",
        # Frames and code objects.
        "ag_frame",
        "co_code",
        "co_consts",
        "cr_frame",
        "f_back",
        "f_builtins",
        "f_code",
        "f_globals",
        "f_locals",
        "func_globals",
        "gi_code",
        "gi_frame",
        "tb_frame",
        "tb_next",
    }
)
"""Attributes that are refused of whatever they are asked."""

ALLOWED_DUNDERS = frozenset(
    {
        "__all__",
        "__author__",
        "__call__",
        "__debug__",
        "__doc__",
        "__enter__",
        "__eq__",
        "__exit__",
        "__getitem__",
        "__hash__",
        "__init__",
        "__iter__",
        "__len__",
        "__name__",
        "__new__",
        "__next__",
        "__post_init__",
        "__qualname__",
        "__repr__",
        "__version__",
    }
)

FORBIDDEN_NAMES = frozenset(
    {
        "breakpoint",
        "compile",
        "eval",
        "exec",
        "globals",
        "locals",
        "open",
        "vars",
    }
)
"""Builtins that a kernel may not name, called or not."""

ATTRIBUTE_BUILTINS = frozenset({"getattr", "setattr", "delattr"})
"""Builtins that are attribute access by another spelling."""
