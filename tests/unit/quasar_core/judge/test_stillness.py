from dataclasses import dataclass, field

import pytest
from quasar_core.errors import RejectionCode
from quasar_core.judge import stillness
from quasar_core.judge.faults import KernelFault
from quasar_core.judge.ground import Ground
from quasar_core.judge.health import UnhealthyError
from quasar_core.judge.stillness import Stillness

USUAL, SLOW = 0.7, 3.1


@dataclass(frozen=True)
class Device(Ground):
    """A device whose pace and memory others have in hand."""

    workers: list = field(default_factory=list)
    taken: list = field(default_factory=lambda: [500])
    ill: list = field(default_factory=list)

    def pace(self):
        return SLOW if self.workers or self.ill else USUAL

    def taken_bytes(self):
        return self.taken[-1]


@dataclass
class Kernel:
    """A seat whose kernel may leave work behind, and ends when killed."""

    device: Device
    left: int = 0
    frozen: bool = False

    def freeze(self):
        self.frozen = True
        if self.left:
            self.device.workers.append(self)

    def fault(self, code, detail, evidence):
        self.device.workers.clear()
        return KernelFault(code, detail, evidence)


@pytest.fixture
def pauses(monkeypatch):
    made = []
    monkeypatch.setattr(stillness.time, "sleep", made.append)
    return made


def test_a_processor_is_always_still():
    ground = Ground()
    still = Stillness(ground, most_bytes=0)
    seat = Kernel(Device())
    still.freeze(seat)
    assert seat.frozen


def test_a_kernel_that_has_ended_its_work_is_frozen_and_no_more(pauses):
    device = Device()
    seat = Kernel(device)
    Stillness(device, 1_000).freeze(seat)
    assert seat.frozen
    assert pauses == []


def test_a_kernel_whose_work_goes_on_is_rejected_and_killed(pauses):
    device = Device()
    still = Stillness(device, 1_000)
    with pytest.raises(KernelFault) as fault:
        still.freeze(Kernel(device, left=1))
    assert fault.value.code is RejectionCode.PROTOCOL_VIOLATION
    assert fault.value.evidence == {
        "pace_seconds": SLOW,
        "usual_seconds": USUAL,
    }
    assert pauses == [*stillness.ENDING]
    assert device.workers == []


def test_last_launches_may_end(pauses, monkeypatch):
    device = Device()

    def later(seconds):
        pauses.append(seconds)
        device.workers.clear()

    monkeypatch.setattr(stillness.time, "sleep", later)
    Stillness(device, 1_000).freeze(Kernel(device, left=1))
    assert len(pauses) == 1


def test_a_device_that_is_slow_without_the_kernel_is_ill(pauses):
    device = Device()
    still = Stillness(device, 1_000)
    device.ill.append(True)
    with pytest.raises(UnhealthyError, match=r"3\.10e\+00 s"):
        still.freeze(Kernel(device))
    assert sum(pauses) > 7


def test_a_kernel_holds_what_was_taken_since_the_last_look(pauses):
    device = Device()
    still = Stillness(device, 1_000)
    first, second = Kernel(device), Kernel(device)
    device.taken.append(1_500)
    still.freeze(first)
    device.taken.append(2_500)
    still.freeze(second)
    # bit by bit is no way around it
    device.taken.append(2_501)
    with pytest.raises(KernelFault) as fault:
        still.look(first)
    assert fault.value.code is RejectionCode.MEMORY_LIMIT
    assert fault.value.evidence == {"held_bytes": 1_001, "bound_bytes": 1_000}


def test_what_is_given_back_is_not_held(pauses):
    device = Device()
    still = Stillness(device, 1_000)
    seat = Kernel(device)
    for taken in (1_400, 600, 1_500):
        device.taken.append(taken)
        still.freeze(seat)
