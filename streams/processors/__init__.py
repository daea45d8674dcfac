"""The Processor API: objects of the user's own as operators, with stores and punctuators."""

from streams.processors.context import FixedKeyProcessorContext as FixedKeyProcessorContext
from streams.processors.context import ProcessorContext as ProcessorContext
from streams.processors.context import RecordMetadata as RecordMetadata
from streams.processors.processor import FixedKeyProcessor as FixedKeyProcessor
from streams.processors.processor import Processor as Processor
from streams.processors.punctuation import Cancellable as Cancellable
from streams.processors.punctuation import PunctuationType as PunctuationType
from streams.processors.record import FixedKeyRecord as FixedKeyRecord
from streams.processors.record import Record as Record
from streams.processors.task_processors import TaskProcessors as TaskProcessors
