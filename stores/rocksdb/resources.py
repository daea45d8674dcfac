"""What all RocksDB databases of a process share, and how each is tuned.

A process runs many tasks, each with a database of its own, so nothing large may be sized per store. Blocks live in one
cache and memtables in one budget (`write_buffers`). Memtables start small: RocksDB grows them by arena blocks, by
default of an eighth of the write buffer.
"""

from __future__ import annotations

from typing import Final

from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options

from stores.clean import CleanBudget
from stores.rocksdb.write_buffers import WriteBuffers

MIB: Final = 2**20
BLOOM_BITS_PER_KEY: Final = 10
WRITE_BUFFER_BYTES: Final = 8 * MIB
ARENA_BLOCK_BYTES: Final = 8 * 1024


class RocksDbResources:
    """One per process. All sizes in bytes.

    `block_cache_bytes`: uncompressed blocks, index and filters. `write_buffer_bytes`: memtables of all tasks, at least;
    more than 512 stores get more (`WriteBuffers`). `clean_bytes`: decoded copies of committed rows (an estimate, see
    `stores.clean`).
    """

    def __init__(
        self,
        *,
        block_cache_bytes: int = 64 * MIB,
        write_buffer_bytes: int = 64 * MIB,
        clean_bytes: int = 128 * MIB,
    ) -> None:
        self.block_cache_bytes = block_cache_bytes
        self.write_buffer_bytes = write_buffer_bytes
        self.clean_budget = CleanBudget(clean_bytes)
        self._cache = Cache(block_cache_bytes)
        self.write_buffers = WriteBuffers(write_buffer_bytes)

    @property
    def block_cache_used_bytes(self) -> int:
        return self._cache.get_usage()

    @property
    def write_buffer_used_bytes(self) -> int:
        return self.write_buffers.used_bytes

    def options(self, stores: int, *, for_store: bool = False) -> Options:
        """Options of a database with so many stores, or of a column family that is one of them."""
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.create_missing_column_families(True)

        # Memory
        options.set_write_buffer_manager(self.write_buffers.manager)
        options.set_write_buffer_size(WRITE_BUFFER_BYTES)
        options.set_max_write_buffer_number(3)
        options.set_arena_block_size(ARENA_BLOCK_BYTES)
        if for_store:
            # Asking a memtable for a key it does not have, as every first record of a key does: 0.5 instead of 1.8 µs.
            bloom_bytes = self.write_buffers.bloom_bytes(stores)
            options.set_memtable_prefix_bloom_ratio(bloom_bytes / WRITE_BUFFER_BYTES)
            options.set_memtable_whole_key_filtering(True)
        blocks = BlockBasedOptions()
        blocks.set_block_cache(self._cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, False)
        blocks.set_format_version(5)
        options.set_block_based_table_factory(blocks)
        options.set_max_open_files(256)

        # Disk. With small JSON rows no compression, universal compaction, 16 KiB blocks and hash indexes in blocks were
        # measured to be no faster; lz4 takes a third of the space.
        options.set_compression_type(DBCompressionType.lz4())
        options.set_target_file_size_base(16 * MIB)
        options.set_max_bytes_for_level_base(64 * MIB)
        options.set_level_compaction_dynamic_level_bytes(True)
        options.set_max_background_jobs(2)
        # A write that stalls does so with the interpreter lock held: let files pile up instead.
        options.set_level_zero_slowdown_writes_trigger(40)
        options.set_level_zero_stop_writes_trigger(80)

        # Crashes: the log is written, not synced, at each commit, so it survives the process. Flushing all column
        # families together keeps rows and positions in step even where the log is lost with the machine.
        options.set_atomic_flush(True)
        options.set_max_total_wal_size(64 * MIB)

        # Quick to open, quiet on disk
        options.set_skip_stats_update_on_db_open(True)
        options.set_stats_dump_period_sec(0)
        options.set_stats_persist_period_sec(0)
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(1 * MIB)
        return options
