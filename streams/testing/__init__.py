"""Tools to test a topology with."""

from streams.testing.driver import TopologyTestDriver
from streams.testing.record import TestRecord
from streams.testing.store_contract import CustomKeyValueStoreContract, CustomStoreContract
from streams.testing.store_view import StoreView
from streams.testing.topics import InputTopic, OutputTopic

__all__ = [
    "CustomKeyValueStoreContract",
    "CustomStoreContract",
    "InputTopic",
    "OutputTopic",
    "StoreView",
    "TestRecord",
    "TopologyTestDriver",
]
