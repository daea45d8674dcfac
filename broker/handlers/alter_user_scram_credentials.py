"""AlterUserScramCredentials (key 51), version 0 (KIP-554).

Sets and deletes credentials; the client sends salted passwords, never the passwords. One answer for each user, and of
each user all is done or nothing. What was changed is on disk before the answer.

Source of the checks and their order: `ScramControlManager` of Apache Kafka.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.handlers.response import response
from broker.protocol.api import api
from broker.protocol.api_keys import ApiKey
from broker.protocol.scram_mechanisms import NAMES
from broker.server.context import RequestContext

if TYPE_CHECKING:
    from broker.security.scram_credential import ScramCredential

LOG = logging.getLogger("broker.security")


class Refusal(Exception):
    """Why a user's credentials stay as they are."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@api(ApiKey.ALTER_USER_SCRAM_CREDENTIALS, 0, 0)
def handle(ctx: RequestContext, request: Any) -> Any:
    lines = [*request.deletions, *request.upsertions]
    times = Counter((line.name, line.mechanism) for line in lines)
    refused: dict[str, Refusal] = {}
    changes: dict[tuple[str, str], ScramCredential | None] = {}
    for line in lines:
        try:
            if times[line.name, line.mechanism] > 1:
                raise Refusal(
                    ErrorCode.duplicate_resource, "A user credential cannot be altered twice in the same request"
                )
            mechanism = checked(line)
            changes[line.name, mechanism] = change(ctx, line, mechanism)
        except Refusal as refusal:
            refused.setdefault(line.name, refusal)
    changes = {key: credential for key, credential in changes.items() if key[0] not in refused}
    if changes:
        try:
            ctx.broker.scram_credentials.change(changes)
        except OSError as error:
            LOG.error("cannot store SCRAM credentials: %s", error)
            for user, _ in changes:
                refused[user] = Refusal(ErrorCode.kafka_storage_error, f"The broker's storage failed: {error.strerror}")
    return response(
        request, results=[outcome(user, refused.get(user)) for user in dict.fromkeys(n.name for n in lines)]
    )


def checked(line: Any) -> str:
    """The mechanism's name."""
    if not line.name:
        raise Refusal(ErrorCode.unacceptable_credential, "Username must not be empty")
    mechanism = NAMES.get(line.mechanism)
    if mechanism is None:
        raise Refusal(ErrorCode.unsupported_sasl_mechanism, "Unknown SCRAM mechanism")
    return mechanism


def change(ctx: RequestContext, line: Any, mechanism: str) -> ScramCredential | None:
    """The credential to set; None to delete it."""
    # Late: every broker has this handler, and few need hashing.
    from broker.security.scram_credential import DIGEST_SIZES, MAX_ITERATIONS, MIN_ITERATIONS, ScramCredential

    if not hasattr(line, "salted_password"):
        if ctx.broker.scram_credentials.find(line.name, mechanism) is None:
            raise Refusal(ErrorCode.resource_not_found, "Attempt to delete a user credential that does not exist")
        return None
    if line.iterations < MIN_ITERATIONS:
        raise Refusal(ErrorCode.unacceptable_credential, f"Too few iterations, at least {MIN_ITERATIONS} are needed")
    if line.iterations > MAX_ITERATIONS:
        raise Refusal(ErrorCode.unacceptable_credential, f"Too many iterations, at most {MAX_ITERATIONS} are allowed")
    if not line.salt or len(line.salted_password) != DIGEST_SIZES[mechanism]:
        raise Refusal(
            ErrorCode.unacceptable_credential, f"The salt is empty, or the salted password is not of {mechanism}"
        )
    return ScramCredential.from_salted_password(mechanism, line.salted_password, line.salt, line.iterations)


def outcome(user: str, refusal: Refusal | None) -> dict[str, Any]:
    return {
        "user": user,
        "error_code": ErrorCode.none if refusal is None else refusal.code,
        "error_message": None if refusal is None else refusal.message,
    }
