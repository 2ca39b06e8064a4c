"""A profile's events as milliseconds by kernel."""

from types import SimpleNamespace

from fla_quasar.bench.profiling import readable, summed


def event(key, microseconds):
    return SimpleNamespace(key=key, self_device_time_total=microseconds)


def test_times_of_a_kernel_are_summed_and_the_longest_comes_first():
    events = [
        event("void at::native::add<float>(int)", 3000),
        event("replay_kernel", 9000),
        event("void at::native::add<int>(int)", 3000),
        event("cudaLaunchKernel", 0),
    ]
    times = summed(events, 3)
    assert list(times.items()) == [("replay_kernel", 3.0), ("add", 2.0)]


def test_names_lose_their_types_and_what_is_too_long():
    assert readable("void cutlass::gemm<a<b>, c>(int)") == "gemm"
    assert len(readable("x" * 300)) == 60
    assert readable("<unnamed>") == "<unnamed>"
