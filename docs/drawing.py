"""Pictures for the docs as SVG: boxes, cylinders for stores, lanes for topics, arrows, time lines.

Each picture lies on a card of its own, light or dark as the reader's system is, so that it can be read on any page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

STYLE = """
  .card { fill: #fbfcfd; stroke: #d5dde5 }
  .box { fill: #e6eef6; stroke: #52697d }
  .store { fill: #e3f2ea; stroke: #3c7a5a }
  .topic { fill: #fdf1dc; stroke: #a8752a }
  .frame { fill: none; stroke: #8a9aa8; stroke-dasharray: 5 4 }
  .good { fill: #3c7a5a }
  .bad { fill: #b3402f }
  .wait { fill: #a8752a }
  .line { stroke: #52697d; fill: none }
  .thin { stroke: #b9c5cf; fill: none }
  .tip { fill: #52697d }
  text { fill: #1f2d3a; font: 13px system-ui, sans-serif }
  .small { font-size: 11px; fill: #52606d }
  @media (prefers-color-scheme: dark) {
    .card { fill: #1b2229; stroke: #38444f }
    .box { fill: #263645; stroke: #8fa9c0 }
    .store { fill: #21382d; stroke: #7cc09b }
    .topic { fill: #3d3120; stroke: #d9a861 }
    .frame { stroke: #71808d }
    .good { fill: #7cc09b }
    .bad { fill: #e58575 }
    .wait { fill: #d9a861 }
    .line { stroke: #9fb3c4 }
    .thin { stroke: #46545f }
    .tip { fill: #9fb3c4 }
    text { fill: #e4eaf0 }
    .small { fill: #a9b6c1 }
  }
"""


@dataclass
class Picture:
    """Shapes in the order in which they are drawn. Lengths are px; a place is that of the upper left corner."""

    title: str
    width: int
    height: int
    shapes: list[str] = field(default_factory=list)

    def box(
        self, x: float, y: float, width: float, height: float, text: str = "", kind: str = "box", note: str = ""
    ) -> None:
        self.shapes.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>')
        self._inside(x + width / 2, y + height / 2, text, note)

    def store(self, x: float, y: float, width: float, height: float, text: str = "", note: str = "") -> None:
        """A cylinder."""
        bend = 6
        self.shapes.append(
            f'<path class="store" d="M{x} {y + bend} v{height - 2 * bend} a{width / 2} {bend} 0 0 0 {width} 0 '
            f'v-{height - 2 * bend} a{width / 2} {bend} 0 0 0 -{width} 0 a{width / 2} {bend} 0 0 0 {width} 0"/>'
        )
        self._inside(x + width / 2, y + height / 2 + 4, text, note)

    def frame(self, x: float, y: float, width: float, height: float, text: str) -> None:
        """What belongs together, named above."""
        self.shapes.append(f'<rect class="frame" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>')
        self.text(x + 8, y - 6, text, small=True)

    def arrow(self, *points: tuple[float, float], text: str = "") -> None:
        """Through all points, with a tip at the last; `text` above the middle of the first stretch."""
        path = " ".join(f"{'M' if number == 0 else 'L'}{x} {y}" for number, (x, y) in enumerate(points))
        self.shapes.append(f'<path class="line" d="{path}" marker-end="url(#tip)"/>')
        if text:
            (x1, y1), (x2, y2) = points[:2]
            self.text((x1 + x2) / 2, (y1 + y2) / 2 - 6, text, small=True, middle=True)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "thin") -> None:
        self.shapes.append(f'<path class="{kind}" d="M{x1} {y1} L{x2} {y2}"/>')

    def dot(self, x: float, y: float, kind: str = "good", text: str = "") -> None:
        self.shapes.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="5"/>')
        if text:
            self.text(x, y - 9, text, small=True, middle=True)

    def text(self, x: float, y: float, text: str, *, small: bool = False, middle: bool = False) -> None:
        anchor = ' text-anchor="middle"' if middle else ""
        kind = ' class="small"' if small else ""
        self.shapes.append(f'<text{kind} x="{x}" y="{y}"{anchor}>{escape(text)}</text>')

    def _inside(self, x: float, y: float, text: str, note: str) -> None:
        if text:
            self.text(x, y + (-2 if note else 4), text, middle=True)
        if note:
            self.text(x, y + 13, note, small=True, middle=True)

    def svg(self) -> str:
        title = escape(self.title)
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}"'
        parts = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">',
            f"<title>{title}</title>\n<style>{STYLE}</style>",
            '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">',
            '<path class="tip" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
            f'<rect class="card" x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="8"/>',
            *self.shapes,
            "</svg>",
        )
        return "\n".join(parts) + "\n"
