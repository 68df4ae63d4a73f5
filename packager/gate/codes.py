"""The table of findings: codes never change their meaning, and none is used twice. Pure.

`docs/findings.md` is written from it by `docs/generate.py`.
"""

from packager.model.finding_code import FindingCode

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        "LP101", "limit-zip", "error",
        "The zip is not below AWS's limit for a direct upload, 52,428,800 bytes.",
        '`upload = "s3"` lifts it; `lpack report` shows what could go.',
    ),
    FindingCode(
        "LP102", "limit-unzipped", "error",
        "Function and layers together are not below 262,144,000 bytes unzipped.",
        "Drop, slim or offload the largest; Lambda layers do not raise this limit.",
    ),
    FindingCode(
        "LP103", "limit-edge", "error",
        "The zip is not below the limit of Lambda@Edge.",
        "Drop the largest; neither layers nor images exist there.",
    ),
    FindingCode(
        "LP104", "limit-layers", "error",
        "A layer, or their number, passes what AWS takes.",
        "Move distributions back into the zip, or split the layer.",
    ),
    FindingCode(
        "LP105", "limit-image", "error",
        "The container image passes AWS's limit.",
        "Drop the largest, or choose a smaller base.",
    ),
    FindingCode(
        "LP106", "limit-tmp", "error",
        "What is unpacked at start does not fit into /tmp.",
        "Raise `ephemeral-storage`, or offload less.",
    ),
    FindingCode(
        "LP109", "limit-other", "error",
        "Another limit of AWS is passed; the message names it.",
        "The message says by how much.",
    ),
    FindingCode(
        "LP110", "limit-near", "warning",
        "Less than 5 % of a limit of AWS is left.",
        "Set a budget, so that it is noticed before AWS refuses.",
    ),
    FindingCode(
        "LP201", "budget-zip", "error",
        "The artifact is larger than the budget `zip`.",
        "`lpack report` and `lpack why NAME` show what takes the space.",
    ),
    FindingCode(
        "LP202", "budget-unzipped", "error",
        "Function and layers unzipped are larger than the budget `unzipped`.",
        "`lpack report` and `lpack why NAME` show what takes the space.",
    ),
    FindingCode(
        "LP203", "budget-distribution", "error",
        "A distribution is larger than its budget.",
        "`lpack why NAME` shows who requires it and what it retains.",
    ),
    FindingCode(
        "LP204", "budget-files", "error",
        "There are more files than the budget `files` allows.",
        '`slim = "declared"` leaves out more, such as tests.',
    ),
    FindingCode(
        "LP205", "budget-init", "error",
        "Importing the handler took longer than the budget `init`.",
        "`lpack verify` shows the slowest modules.",
    ),
    FindingCode(
        "LP206", "init-unknown", "note",
        "There is a budget `init`, and nothing says how long the import took.",
        "`lpack verify --output-format json > verified.json`, then "
        "`lpack check --verified verified.json`.",
    ),
    FindingCode(
        "LP207", "budget-unused", "warning",
        "A budget names a distribution that is not in the artifact.",
        "Correct the name, or remove the line.",
    ),
    FindingCode(
        "LP301", "increase-zip", "error",
        "The zip grew by more than `max-increase` against the baseline.",
        "`lpack diff` shows all of it; if it is meant, save a new baseline on the base branch.",
    ),
    FindingCode(
        "LP302", "increase-unzipped", "error",
        "Unzipped, the artifact grew by more than `max-increase` against the baseline.",
        "`lpack diff` shows all of it; if it is meant, save a new baseline on the base branch.",
    ),
    FindingCode(
        "LP303", "new-distribution", "error",
        "A distribution is new, and `new-distributions` does not allow it.",
        "Drop the requirement, or list the name in `new-distributions`.",
    ),
    FindingCode(
        "LP304", "baseline-missing", "note",
        "There is no baseline to hold the artifact against.",
        "`lpack check --save-baseline FILE` writes one; keep it as an artifact of the base branch.",
    ),
    FindingCode(
        "LP305", "baseline-stale", "warning",
        "The baseline is not of the commit this branch started from, and the requirements "
        "changed in between.",
        "Rebuild the baseline on the base branch, or rebase.",
    ),
    FindingCode(
        "LP306", "baseline-unlike", "warning",
        "The baseline is of another target, or of another version of lpack.",
        "Save a new baseline; figures of two targets say little about a change.",
    ),
    FindingCode(
        "LP307", "baseline-without-function", "note",
        "The baseline does not know this function.",
        "Nothing, if the function is new.",
    ),
    FindingCode(
        "LP308", "baseline-commit-unknown", "note",
        "Whether the baseline is stale cannot be told.",
        "Fetch the history in CI (`fetch-depth: 0`), and save baselines with "
        "`lpack check --save-baseline`.",
    ),
    FindingCode(
        "LP309", "publisher-changed", "warning",
        "A new file of a distribution was not published by whom the baseline's was.",
        "See who publishes it now; `publishers` names those it may be "
        "([supply chain](supply-chain.md#what-publishers-attest)).",
    ),
    FindingCode(
        "LP401", "artifact-differs", "error",
        "The artifact beside the manifest is not the one the manifest describes.",
        "`lpack build`, or `lpack verify` for every difference.",
    ),
    FindingCode(
        "LP402", "runtime-ends", "warning",
        "AWS has deprecated the runtime.",
        "Move to a newer one; `lpack runtime` lists them.",
    ),
    FindingCode(
        "LP403", "conflict", "warning",
        "A bundled distribution shadows what the runtime's own packages need.",
        "The message says what to bundle.",
    ),
    FindingCode(
        "LP404", "development-tool", "warning",
        "A distribution that only development needs is in the artifact.",
        "`lpack why NAME` shows who requires it; leave out the group or the extra.",
    ),
)  # fmt: skip
"""Every code, in their order."""

BY_NAME = {code.name: code for code in CODES}
