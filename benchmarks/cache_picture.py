"""Draw how fast the cache is as it grows, from the figures that cache.py wrote.

python benchmarks/cache_picture.py [--figures FILE] [--out docs/images/cache-growth.png]
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter
from PIL import Image
from record import results_file

LINES = (
    ("gather_a_second", "numpy gather: the limit", "#767676", ":"),
    ("read_128_a_second", "read, 128 dimensions", "#0072B2", "--"),
    ("read_a_second", "read by key, checked", "#0072B2", "-"),
    ("transform_a_second", "transform, all found", "#D55E00", "-"),
    ("written_a_second", "written and flushed, 64 a batch", "#007A5A", "-"),
)
OUT = Path(__file__).resolve().parents[1] / "docs" / "images" / "cache-growth.png"


def draw(growth: list[dict[str, Any]], out: Path) -> None:
    """Draw the rows of the table 'growth'."""
    mpl.use("agg")
    figure, ax = plt.subplots(figsize=(10, 5.2), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.1)
    entries = [row["entries"] for row in growth]
    ends = []
    for name, label, color, style in LINES:
        rates = [row[name] for row in growth]
        ax.plot(entries, rates, style, color=color, marker="o", markersize=5, linewidth=2)
        ends.append((rates[-1], label, color))
    ax.set(xscale="log", yscale="log", xlabel="vectors in the cache", ylabel="vectors a second")
    ax.set_xlim(min(entries) * 0.8, max(entries) * 1.25)
    number = FuncFormatter(lambda value, place: f"{value:,.0f}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(number)
    ax.set_xticks(entries)
    ax.minorticks_off()
    ax.grid(axis="y", color="#dddddd", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    figure.draw_without_rendering()
    for (_, label, color), height in zip(
        ends, spread(ax, [rate for rate, *_ in ends]), strict=True
    ):
        ax.annotate(
            label, (1.01, height), xycoords="axes fraction", color=color, va="center", fontsize=10.5
        )
    content = io.BytesIO()
    figure.savefig(content, dpi=160)
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.open(content).convert("RGB").quantize(64).save(out, optimize=True)
    print(f"drawn to {out}")


def spread(ax: Any, rates: list[float], apart: float = 0.065) -> list[float]:
    """Return heights for labels, in parts of the axes: near the ends of lines, none on another."""
    low, high = (float(mpl.scale.LogTransform(10).transform(y)) for y in ax.get_ylim())
    heights = [(float(mpl.scale.LogTransform(10).transform(r)) - low) / (high - low) for r in rates]
    order = sorted(range(len(rates)), key=lambda i: heights[i])
    placed = dict.fromkeys(order, 0.0)
    last = -1.0
    for i in order:
        placed[i] = last = max(heights[i], last + apart)
    over = max(0.0, last - 1.0)
    return [placed[i] - over for i in range(len(rates))]


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the growth of the cache.")
    parser.add_argument("--figures", type=Path, default=results_file("cache"))
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    draw(json.loads(options.figures.read_text(encoding="utf-8"))["growth"], options.out)


if __name__ == "__main__":
    main()
