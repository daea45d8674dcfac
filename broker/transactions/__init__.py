"""Transactions: records of many partitions and offsets of a group that count together or not at all.

`transaction.Transaction` describes one transactional id at a moment; `initialise`, `enlist`, `ending` and `expiry` are
pure functions from one such description to the next; `coordinator` journals each step before it answers (`record`),
and carries out decisions in the partitions (`participants`).
"""

from broker.transactions.coordinator import TransactionCoordinator as TransactionCoordinator
from broker.transactions.settings import TransactionSettings as TransactionSettings
