"""What the requirements are, in values that keys are made of."""

from typing import Any

from packager.model.requirement import RequirementSet
from packager.pipeline.memory import digest_of, tree_digest


def content_of(requirements: RequirementSet) -> list[Any]:
    """Everything in the requirements that decides the result, as JSON-ready values."""
    lock_digest = digest_of(requirements.lock) if requirements.lock else None
    indexes = requirements.indexes
    return [
        [[str(item.requirement), item.origin] for item in requirements.declared],
        [str(item.requirement) for item in requirements.constraints],
        [
            [str(p.path), list(p.extras), tree_digest(str(p.path))]
            for p in requirements.local_projects
        ],
        sorted([*key, *sorted(digests)] for key, digests in requirements.hashes.items()),
        requirements.require_hashes,
        requirements.prereleases,
        lock_digest,
        [indexes.index_url, *indexes.extra_index_urls, *indexes.find_links, indexes.no_index],
    ]


def determined_content(requirements: RequirementSet) -> list[Any]:
    """Return what of the requirements decides the result whatever index and resolver say."""
    return [
        [str(item.requirement) for item in requirements.constraints],
        sorted([*key, *sorted(digests)] for key, digests in requirements.hashes.items()),
        requirements.require_hashes,
        requirements.prereleases,
        digest_of(requirements.lock) if requirements.lock else None,
    ]
