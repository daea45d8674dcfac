"""WriteTxnMarkers (key 27), versions 1-2.

v1 flexible · v2 the version of the transaction (KIP-1228). Brokers say it to each other; here it comes from
administrators who end a hanging transaction (KIP-664). The coordinator is not told, as in Kafka.
"""

from __future__ import annotations

from typing import Any

from broker.handlers.response import response
from broker.journal.entry import ProducerIdentity
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.server.context import RequestContext
from broker.transactions.markers import Marker, write_marker


@api(ApiKey.WRITE_TXN_MARKERS, 1, 2)
async def handle(ctx: RequestContext, request: Any) -> Any:
    markers: list[dict[str, Any]] = []
    for line in request.markers:
        marker = Marker(
            producer=ProducerIdentity(line.producer_id, line.producer_epoch),
            commit=line.transaction_result,
            coordinator_epoch=line.coordinator_epoch,
            version=getattr(line, "transaction_version", 0),
        )
        topics = [
            {
                "name": topic.name,
                "partitions": [
                    {
                        "partition_index": partition,
                        "error_code": await write_marker(ctx.broker, (topic.name, partition), marker),
                    }
                    for partition in topic.partition_indexes
                ],
            }
            for topic in line.topics
        ]
        markers.append({"producer_id": line.producer_id, "topics": topics})
    return response(request, markers=markers)
