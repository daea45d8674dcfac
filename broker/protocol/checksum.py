"""CRC-32C of record batches and of the broker's own files.

The `crc32c` package asks at its import for its own version, and with that imports readers of packages' metadata and of
mail headers: some forty modules at a broker's start. Its extension module is all that is needed, and is loaded by
itself.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Final, cast


def load() -> Callable[..., int]:
    """The extension's function; the package's where it is put together otherwise."""
    package = find_spec("crc32c")
    found = package and PathFinder.find_spec("crc32c._crc32c", package.submodule_search_locations)
    if found is None or found.loader is None:
        from crc32c import crc32c

        return crc32c
    module: Any = module_from_spec(found)
    found.loader.exec_module(module)
    return cast("Callable[..., int]", module.crc32c)


crc32c: Final = load()
"""crc32c(data, value=0) of anything with a buffer."""
