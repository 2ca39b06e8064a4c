import pytest
from quasar_core.execution.bubblewrap_arguments import arguments, command
from quasar_core.execution.gpu import gpu_view, host_library, loaded_folder
from quasar_core.execution.limits import Limits
from quasar_core.execution.sandbox import Job, SandboxUnavailable


@pytest.fixture
def machine(tmp_path):
    """A folder of device nodes, and one with a driver."""
    dev, driver = tmp_path / "dev", tmp_path / "lib"
    for folder in (dev, driver):
        folder.mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (dev / name).touch()
    (driver / "libcuda.so.580.1").touch()
    (driver / "libcuda.so.1").symlink_to("libcuda.so.580.1")
    (driver / "libnvidia-ptxjitcompiler.so.1").touch()
    (driver / "libnvidia-glcore.so.1").touch()
    return tmp_path


def view_of(machine, **changes):
    folders = (str(machine / "none"), str(machine / "lib"))
    given = {"dev": machine / "dev", "folders": folders} | changes
    return gpu_view("GPU-1", 1, **given)


def test_a_sandbox_sees_one_device_and_the_driver_alone(machine):
    view = view_of(machine)
    nodes = [node.name for node in view.nodes]
    assert nodes == ["nvidia1", "nvidiactl", "nvidia-uvm"]
    inside = {mount.target.name: mount.source for mount in view.files}
    assert inside["libcuda.so.1"] == machine / "lib" / "libcuda.so.580.1"
    assert "libnvidia-ptxjitcompiler.so.1" in inside
    assert "libnvidia-glcore.so.1" not in inside
    assert host_library(view) == machine / "lib" / "libcuda.so.580.1"
    assert view.environment["TRITON_LIBCUDA_PATH"] == "/opt/driver"


def test_what_is_missing_is_told_by_its_name(machine):
    (machine / "dev" / "nvidia-uvm").unlink()
    with pytest.raises(SandboxUnavailable, match=r"nvidia-uvm is missing"):
        view_of(machine)
    (machine / "dev" / "nvidia-uvm").touch()
    with pytest.raises(SandboxUnavailable, match=r"libcuda.so.1 was not"):
        view_of(machine, folders=(str(machine / "none"),))


def test_the_driver_is_looked_for_where_this_process_has_it_from(tmp_path):
    maps = tmp_path / "maps"
    maps.write_text(
        "7f00-7f01 rw-p 00000000 00:00 0 \n"
        "7f02-7f03 r-xp 00000000 08:01 9    /lib/libc.so.6\n"
        "7f04-7f05 r-xp 00000000 08:01 9    /opt/nv/lib64/libcuda.so.580.1\n"
    )
    assert loaded_folder(maps) == "/opt/nv/lib64"
    maps.write_text("7f00-7f01 rw-p 00000000 00:00 0 \n")
    assert loaded_folder(maps) is None


def test_nodes_are_bound_before_their_folder_is_closed(machine):
    view = view_of(machine)
    job = Job(argv=("/bin/true",), gpu=view)
    words = arguments(job, user_namespace=False)
    bound = [
        words[place + 1 : place + 3]
        for place, word in enumerate(words)
        if word == "--dev-bind"
    ]
    assert bound == [[str(n), f"/dev/{n.name}"] for n in view.nodes]
    closed = words.index("/dev", words.index("--remount-ro"))
    assert words.index("--dev-bind") < closed
    assert "--dev-bind" not in arguments(Job(argv=("/bin/true",)), True)


def test_address_space_is_not_bounded_where_cuda_reserves_it(machine):
    given = {
        "bwrap": "bwrap",
        "groups": (),
        "arguments_descriptor": 9,
        "ready": "x",
        "user_namespace": False,
    }
    limits = Limits(nofile=7, memory_bytes=1 << 30)
    plain = Job(argv=("/bin/true",), limits=limits)
    on_device = Job(argv=("/bin/true",), limits=limits, gpu=view_of(machine))
    assert command(plain, **given)[5:8] == ["7", "1048576", "2097152"]
    assert command(on_device, **given)[5:8] == ["7", "0", "0"]
