from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.visualize.placing import Placed, place_boxes, wrap_name


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 50), st.integers(0, 10_000))
def test_boxes_never_overlap_and_stay_inside(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchors = rng.normal(300, 120, size=(k, 2))
    sizes = rng.uniform([20, 10], [120, 40], size=(k, 2))
    boxes = [
        (p.x - w / 2, p.y - h / 2, p.x + w / 2, p.y + h / 2)
        for p, (w, h) in zip(place_boxes(anchors, sizes, (0, 0, 600, 600)), sizes, strict=True)
        if p is not None
    ]
    for i, a in enumerate(boxes):
        assert a[0] >= 0
        assert a[1] >= 0
        assert a[2] <= 600
        assert a[3] <= 600
        for b in boxes[:i]:
            assert a[2] <= b[0] or a[0] >= b[2] or a[3] <= b[1] or a[1] >= b[3]


def test_free_boxes_stay_where_they_belong() -> None:
    anchors = np.array([[100.0, 100.0], [300.0, 300.0]])
    placed = place_boxes(anchors, np.full((2, 2), 30.0), (0, 0, 400, 400))
    assert [(p.x, p.y, p.moved) for p in placed if p] == [(100, 100, False), (300, 300, False)]


def test_no_room_is_said() -> None:
    placed = place_boxes(np.full((9, 2), 50.0), np.full((9, 2), 45.0), (0, 0, 100, 100))
    assert 1 <= sum(p is not None for p in placed) <= 4
    assert None in placed


def test_long_names_wrap() -> None:
    assert wrap_name("") == ""
    assert wrap_name("词" * 50, 10, 2).count("\n") == 1
    assert wrap_name("a b " * 40).endswith("…")


def test_a_name_does_not_hide_a_small_group_but_may_lie_on_a_large_one() -> None:
    rng = np.random.default_rng(0)
    few = rng.normal([200.0, 200.0], 6.0, (12, 2))
    many = rng.normal([600.0, 200.0], 60.0, (2_000, 2))
    bounds = (0.0, 0.0, 800.0, 400.0)
    anchors, sizes = np.array([[200.0, 200.0], [600.0, 200.0]]), np.array([[90.0, 20.0]] * 2)
    dots = np.vstack([few, many])
    small, large = place_boxes(anchors, sizes, bounds, points=dots, counts=[12, 2_000])

    def hidden(place: Placed | None) -> int:
        assert place is not None
        offset = np.abs(dots - [place.x, place.y])
        return int(((offset[:, 0] < 45) & (offset[:, 1] < 10)).sum())

    assert hidden(small) <= 1
    assert (large.x, large.y) == (600.0, 200.0)
    # Near enough to be read as its name.
    assert np.hypot(small.x - 200, small.y - 200) < 90
    plain = place_boxes(anchors, sizes, bounds)
    assert hidden(plain[0]) > 9
