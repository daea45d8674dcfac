"""ListPartitionReassignments (key 46), version 0 (KIP-455): one node moves nothing, so none is ever under way."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext


@api(ApiKey.LIST_PARTITION_REASSIGNMENTS, 0, 0)
def handle(ctx: RequestContext, request: Any) -> Any:
    return response(request, error_code=ErrorCode.none, error_message=None, topics=())
