"""The job routes of servers since December 2025, computed from queue and history. Protocol §2."""

from typing import Any

from aiohttp import web

from comfyui_preview.prompt_intake import is_canonical
from comfyui_preview.queue import HistoryEntry, Item
from comfyui_preview.routes import ENGINE, Handler, read_object
from comfyui_preview.shared_state import Engine

Job = dict[str, Any]
STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
ENDINGS = {
    "execution_success": "completed",
    "execution_error": "failed",
    "execution_interrupted": "cancelled",
}


async def get_jobs(request: web.Request) -> web.Response:
    """All jobs, newest first unless asked otherwise."""
    query = request.query
    offset, limit = _count(query.get("offset", "0")), _count(query.get("limit", "100"))
    wanted = [word for word in query.get("status", "").split(",") if word]
    if offset is None or not limit or not set(wanted) <= set(STATUSES):
        return web.json_response({"error": "a parameter is out of its bounds"}, status=400)
    jobs = [job for job in _jobs(request.app[ENGINE]) if not wanted or job["status"] in wanted]
    jobs.sort(key=lambda job: job["create_time"], reverse=query.get("sort_order", "desc") == "desc")
    page = jobs[offset : offset + limit]
    has_more = offset + len(page) < len(jobs)
    about = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": has_more}
    return web.json_response({"jobs": page, "pagination": about})


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


async def get_job(request: web.Request) -> web.Response:
    """One job with its outputs; 404 when it is unknown."""
    engine, job_id = request.app[ENGINE], request.match_info["job_id"]
    job = next((job for job in _jobs(engine) if job["id"] == job_id), None)
    if job is None:
        return web.json_response({"error": "Job not found"}, status=404)
    entry = engine.queue.entry(job_id)
    if entry is not None and job["status"] in ENDINGS.values():
        _, _, graph, extra_data, _ = entry["prompt"]
        job |= {"outputs": entry["outputs"], "execution_status": entry["status"]}
        job["workflow"] = {"prompt": graph, "extra_data": extra_data}
    return web.json_response(job)


async def post_cancel(request: web.Request) -> web.Response:
    """Cancel one job; false when it has ended or is unknown."""
    cancelled = request.app[ENGINE].cancel(request.match_info["job_id"])
    return web.json_response({"cancelled": cancelled})


async def post_cancel_all(request: web.Request) -> web.Response:
    """Cancel several jobs."""
    job_ids = (await read_object(request)).get("job_ids", [])
    invalid = [job_id for job_id in job_ids if not is_canonical(job_id)]
    if invalid:
        told = {"error": "not all job ids are UUIDs", "invalid_ids": invalid}
        return web.json_response(told, status=400)
    cancelled = [request.app[ENGINE].cancel(job_id) for job_id in job_ids]
    return web.json_response({"cancelled": any(cancelled)})


def _jobs(engine: Engine) -> list[Job]:
    queue = engine.queue
    waiting = [_unfinished(prompt, "pending") for prompt in queue.pending()]
    running = [_unfinished(prompt, "in_progress") for prompt in queue.running()]
    known = {job["id"] for job in waiting + running}
    ended = [_finished(entry) for entry in queue.history().values()]
    return waiting + running + [job for job in ended if job["id"] not in known]


def _unfinished(item: Item, status: str) -> Job:
    created = item[3].get("create_time", 0)
    return {"id": item[1], "status": status, "priority": item[0], "create_time": created}


def _finished(entry: HistoryEntry) -> Job:
    messages = entry["status"]["messages"]
    last, about = messages[-1]
    files = [shown for output in entry["outputs"].values() for shown in output.get("images", [])]
    job = _unfinished(entry["prompt"], ENDINGS[last])
    job |= {
        "execution_start_time": messages[0][1]["timestamp"],
        "execution_end_time": about["timestamp"],
        "outputs_count": len(files),
        "previewable_outputs_count": len(files),
    }
    if files:
        job["preview_output"] = files[0]
    if last == "execution_error":
        job["execution_error"] = about
    return job


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/api/jobs", get_jobs),
    ("GET", "/api/jobs/{job_id}", get_job),
    ("POST", "/api/jobs/cancel", post_cancel_all),
    ("POST", "/api/jobs/{job_id}/cancel", post_cancel),
]
