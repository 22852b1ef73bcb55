"""The ways in which a plan can fail: one table of what happened and what to do about it."""

from generation.errors import PlanFailure

REMEDIES = {
    "no_panel": "Import the plan's panel, then retry.",
    "panel_unreadable": "Import the plan's panel again, then retry.",
    "invalid_graph": "The technical director has to mend the workflow; then send a new request.",
    "graph_refused": "Install what the server lacks, or correct the parameters; then retry.",
    "partly_refused": "The technical director has to mend the workflow; then send a new request.",
    "node_error": "Read the node's words; correct the parameters or the workflow, then retry.",
    "out_of_memory": "Retry, or render this workflow on a server with more memory.",
    "no_output": "The workflow must end in a SaveImage node that is not skipped; then retry.",
    "output_missing": "Somebody removed the file on the server; retry renders it again.",
    "unreadable_output": "Retry; if it happens again, look at the server's disk and the workflow.",
    "output_too_large": "Lower the workflow's output size, or raise MADSEA_IMAGE_MAX_MIB.",
    "versions_exhausted": "The plan has its last version: use another plan or project.",
}


def failure(code: str, message: str) -> PlanFailure:
    """Return the failure of a code, with the message of what happened this time."""
    return PlanFailure(code, message.strip() or code, REMEDIES[code])
