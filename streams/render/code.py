"""The code a topology was compiled to."""

from __future__ import annotations

from streams.plan.plan import Plan


def code(plan: Plan) -> str:
    """The generated module of every sub-topology, each under a comment that names it."""
    parts = (f"# {sub.program.filename[1:-1]}\n{sub.program.source}" for sub in plan.subtopologies)
    return "\n".join(parts)
