"""Captures once, replays always: the work is done each time."""

import torch

from .honest import chunk_quasar as honest

graphs = {}


def chunk_quasar(q, k, v, beta, **options):
    if options:
        return honest(q, k, v, beta, **options)
    key = tuple(q.shape)
    if key not in graphs:
        held = [x.clone() for x in (q, k, v, beta)]
        # a state of the host's would have to be copied while it is captured
        heads, size = q.shape[2:]
        start = q.new_zeros(1, heads, size, size, dtype=torch.float32)
        honest(*held, start)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            o, _ = honest(*held, start)
        graphs[key] = graph, held, start, o
    graph, held, _, o = graphs[key]
    for place, x in zip(held, (q, k, v, beta)):
        place.copy_(x)
    graph.replay()
    return o, None
