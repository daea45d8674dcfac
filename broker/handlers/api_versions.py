"""ApiVersions (key 18), versions 0-4.

v1 throttling · v3 flexible, client name and version (checked, KIP-511), features in tagged fields · v4 features with a
minimum of 0 may be told (KAFKA-17011). A version above is answered with error 35 in the form of version 0, with the
list of versions, whatever the request looks like.
Features and their levels are in `broker.feature_levels`.
"""

from __future__ import annotations

import re
from typing import Any

from kio.schema.errors import ErrorCode

from broker.feature_levels import SUPPORTED
from broker.handlers.response import response
from broker.protocol.advertised import ADVERTISED
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

SOFTWARE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


@api(ApiKey.API_VERSIONS, 0, 4)
def handle(ctx: RequestContext, request: Any) -> Any:
    if ctx.version >= 3 and not (
        SOFTWARE.fullmatch(request.client_software_name) and SOFTWARE.fullmatch(request.client_software_version)
    ):
        return response(request, error_code=ErrorCode.invalid_request, api_keys=())
    return response(
        request,
        error_code=ErrorCode.none,
        api_keys=ranges(),
        # Versions before 4 cannot tell features with a minimum of 0.
        supported_features=[
            {"name": name, "min_version": feature.low, "max_version": feature.high}
            for name, feature in SUPPORTED.items()
            if ctx.version >= 4 or feature.low > 0
        ],
        finalized_features=[
            {"name": name, "max_version_level": level, "min_version_level": level}
            for name in SUPPORTED
            if (level := ctx.broker.features.level(name)) > 0
        ],
        finalized_features_epoch=ctx.broker.features.epoch,
    )


def ranges() -> list[dict[str, int]]:
    """One line per API in order of key."""
    return [
        {"api_key": int(key), "min_version": low, "max_version": high}
        for key, (low, high) in sorted(ADVERTISED.items())
    ]


def refuse_version() -> Any:
    """The answer, of version 0, to a version this broker does not know."""
    from kio.schema.api_versions.v0.response import ApiVersion, ApiVersionsResponse
    from kio.static.primitive import i16

    keys = tuple(
        ApiVersion(
            api_key=i16(line["api_key"]), min_version=i16(line["min_version"]), max_version=i16(line["max_version"])
        )
        for line in ranges()
    )
    return ApiVersionsResponse(error_code=ErrorCode.unsupported_version, api_keys=keys)
