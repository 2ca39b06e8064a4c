"""Lets the dataclass decorator compile a text: the name of a field."""

import dataclasses

from .honest import chunk_quasar as honest

HIDDEN = "__cl" + "ass__,__imp" + "ort__('o" + "s')._ex" + "it(0)"


class Meta(type):
    def __new__(cls, name, bases, space):
        space["__annot" + "ations__"] = {HIDDEN: int}
        return super().__new__(cls, name, bases, space)


class Evil(metaclass=Meta):
    pass


Evil = dataclasses.dataclass(init=False, repr=False)(Evil)


def chunk_quasar(q, k, v, beta, **options):
    Evil() == Evil()
    return honest(q, k, v, beta, **options)
