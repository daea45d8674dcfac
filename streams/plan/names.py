"""Names of an application's internal topics."""

from __future__ import annotations


def changelog_topic(application_id: str, store: str) -> str:
    """The changelog of a store. Source: `ProcessorStateManager.storeChangelogTopic`."""
    return f"{application_id}-{store}-changelog"
