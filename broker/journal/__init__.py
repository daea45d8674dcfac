"""What coordinators know, in internal topics: written before it is answered, read at the start."""

from broker.journal.journal import Journal as Journal
from broker.journal.journal import JournalLog as JournalLog
