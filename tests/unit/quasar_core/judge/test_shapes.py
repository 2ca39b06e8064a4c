import pytest
from quasar_core.judge.shapes import CallShape, ElementType


def test_a_call_lays_its_sections_out_aligned_and_in_order():
    shape = CallShape(64, heads=2, head_dim=16, initial_state=True)
    tensor = 64 * 2 * 16 * 4
    assert shape.input_sections == (
        (0, tensor),
        (tensor, tensor),
        (2 * tensor, tensor),
        (3 * tensor, 8),
        (3 * tensor + 64, 2 * 16 * 16 * 4),
    )
    assert shape.input_bytes == 3 * tensor + 64 + 2048


def test_a_final_state_follows_the_output():
    shape = CallShape(64, heads=1, head_dim=16, final_state=True)
    assert shape.output_sections == ((0, 4096), (4096, 1024))
    assert CallShape(64, heads=1, head_dim=16).output_bytes == 4096


@pytest.mark.parametrize(
    ("element", "size"), [(ElementType.FLOAT32, 4), (ElementType.BFLOAT16, 2)]
)
def test_an_element_has_its_size(element, size):
    shape = CallShape(64, heads=1, head_dim=1, element=element)
    assert shape.output_bytes == 64 * size
