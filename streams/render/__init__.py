"""Pictures of a plan: text in the form of Kafka's `Topology.describe()`, Mermaid, DOT, JSON, and the generated code."""

from streams.render.code import code
from streams.render.document import document
from streams.render.dot import dot
from streams.render.mermaid import mermaid
from streams.render.text import describe

__all__ = ["code", "describe", "document", "dot", "mermaid"]
