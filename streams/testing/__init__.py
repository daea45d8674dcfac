"""Tools to test a topology with."""

from streams.testing.driver import TopologyTestDriver
from streams.testing.topics import InputTopic, OutputTopic, TestRecord

__all__ = ["InputTopic", "OutputTopic", "TestRecord", "TopologyTestDriver"]
