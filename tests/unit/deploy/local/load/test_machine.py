from deploy.local.load.machine import machine, told


def test_a_busy_machine_is_told_as_one():
    busy = machine(1_000.0)
    assert not busy["quiet"]
    assert "BUSY" in told(busy)
    assert "quiet" in told(machine(0.0))
