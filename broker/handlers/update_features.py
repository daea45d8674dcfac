"""UpdateFeatures (key 57), versions 0-2 (KIP-584).

v1 upgrade types and validate_only · v2 one error for all instead of one by feature (KIP-1022).
All levels are set or none. A lower level is what clients go by from then on: below `transaction.version` 2 they use
transactions v1. `metadata.version` is a number that nothing here depends on.
"""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.feature_levels import SAFE_DOWNGRADE, UPGRADE, FeatureUpdate
from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext

FAILED = "The update failed for all features since the following feature had an error: "


@api(ApiKey.UPDATE_FEATURES, 0, 2)
def handle(ctx: RequestContext, request: Any) -> Any:
    levels = ctx.broker.features
    updates = [FeatureUpdate(line.feature, line.max_version_level, kind_of(line)) for line in request.feature_updates]
    code, message = ErrorCode.none, None
    problems = [problem for update in updates if (problem := levels.problem(update)) is not None]
    if problems:
        code, message = ErrorCode.invalid_update_version, FAILED + problems[0]
    elif not getattr(request, "validate_only", False):
        try:
            levels.apply(updates)
        except OSError as error:
            refusal = ctx.broker.storage_error("set levels of features", error)
            code, message = refusal.code, refusal.message
    done = [] if message else [{"feature": one.name, "error_code": code, "error_message": None} for one in updates]
    return response(request, error_code=code, error_message=message, results=done)


def kind_of(line: Any) -> int:
    """v0 knows upgrades and downgrades only."""
    kind = getattr(line, "upgrade_type", None)
    if kind is None:
        return SAFE_DOWNGRADE if line.allow_downgrade else UPGRADE
    return kind
