"""Outputs, files and uploads that are not what they should be: §18.39 to 44."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from lab.faults.case import Case, strike
from lab.faults.scene import Scene
from tests.driver import flying

SUCCEEDS = ("claimed", "posted", "published")
#: The plan fails on the first server, and is rendered by the second.
ELSEWHERE: dict[str, Any] = {
    "n_servers": 2,
    "outcomes": ("error", "done"),
    "renders": 2,
    "tries": 1,
    "log": ("claimed", "posted", "tried", *SUCCEEDS),
}
REFETCHED = ("claimed", "posted", "refetched")
REPOSTED = ("claimed", "reposted", "published")

#: A picture whose size the graph tells, and a second image that nobody asked for.
FRAMED: dict[str, Any] = {
    **flying.INVERTED,
    "3": {
        "class_type": "ImageScale",
        "inputs": {
            "image": ["2", 0],
            "upscale_method": "bicubic",
            "width": 96,
            "height": 54,
            "crop": "disabled",
        },
    },
    "4": {
        "class_type": "SaveImage",
        "inputs": {"images": ["3", 0], "filename_prefix": "x"},
        "_meta": {"title": "@result"},
    },
}
#: Not asked for by anybody: a preview beside the result.
TWO_OUTPUTS: dict[str, Any] = {
    **flying.INVERTED,
    "2b": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
}


def outputs(scene: Scene) -> list[Path]:
    """Return the images of ours that lie in the first server's output folder."""
    return sorted((scene.comfy.options.home / "output" / "madsea").glob("*.png"))


def remove_output(scene: Scene) -> bool:
    """Remove what was rendered, as somebody who tidies up."""
    for path in outputs(scene):
        path.unlink()
        return True
    return False


def overwrite(size: tuple[int, int]) -> Any:
    """Return an act: another process saves its image under the name of ours."""
    held = BytesIO()
    Image.new("RGB", size, "purple").save(held, "PNG")

    def act(scene: Scene) -> bool:
        if not scene.happened("finished"):
            return False
        for path in outputs(scene):
            path.write_bytes(held.getvalue())
        return True

    return act


def take_name(scene: Scene) -> None:
    """Let another file lie on the server under the name of our panel."""
    panel = scene.run.plan.versions.get()
    folder = scene.comfy.options.home / "input" / "madsea"
    folder.mkdir(parents=True)
    (folder / f"{panel.sha256}.{panel.extension}").write_bytes(b"somebody else's")


#: Saved before the result, by whoever mends the workflow.
BESIDE: dict[str, Any] = {
    "0": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    **flying.INVERTED,
}

HELD_BACK = strike("answer", match="/view", times=2, status=503)

CASES = (
    Case(
        39,
        "success without any output",
        "`empty_outputs`; another server is there",
        (strike("empty_outputs"),),
        **ELSEWHERE,
    ),
    Case(
        39,
        "success without an output, on every server",
        "`empty_outputs`; no other server is there",
        (strike("empty_outputs"),),
        state="error",
        error="no_output",
        outcomes=("error",) * 3,
        renders=3,
        tries=3,
        log=(*("claimed", "posted", "tried") * 2, "claimed", "posted", "failed"),
    ),
    *(
        Case(
            39,
            fault,
            f"`odd_entry` {how}, a preview node beside the result; another server is there",
            (strike("odd_entry", how=how),),
            graph=TWO_OUTPUTS,
            **ELSEWHERE,
        )
        for fault, how in (
            ("the output of our node is missing", "missing_node"),
            ("the output of our node is null", "null_output"),
            ("`success` beside an error as the last message", "success_with_error"),
        )
    ),
    Case(
        39,
        "the output of our node is missing, and another SaveImage node left one",
        "`odd_entry` missing_node, a saver that runs before the result's; another server is there",
        (strike("odd_entry", how="missing_node"),),
        graph=BESIDE,
        **{**ELSEWHERE, "renders": 4},
    ),
    Case(
        39,
        "no status in history",
        "`odd_entry` no_status",
        (strike("odd_entry", how="no_status"),),
    ),
    Case(
        40,
        "a prompt that history forgot, whose file is there under its unique name",
        "our prompt is cut off after queueing and forgotten by history",
        (strike("reset_after_queueing", times=1), strike("evict_history", times=1)),
        log=("claimed", "published"),
    ),
    Case(
        40,
        "a cached answer whose file is gone",
        "the same, and somebody removes the file meanwhile",
        (strike("reset_after_queueing", times=1), strike("evict_history", times=1)),
        meanwhile=remove_output,
        outcomes=("error", "done"),
        renders=2,
        tries=1,
        log=("claimed", "reposted", "tried", *SUCCEEDS),
    ),
    Case(
        40,
        "a cached answer without outputs",
        "the same, with `cached_without_outputs`",
        (
            strike("reset_after_queueing", times=1),
            strike("evict_history", times=1),
            strike("cached_without_outputs"),
        ),
        meanwhile=remove_output,
        outcomes=("error", "done"),
        renders=2,
        tries=1,
        log=("claimed", "reposted", "tried", *SUCCEEDS),
    ),
    Case(
        41,
        "/view: no such file",
        "`view_404` always; another server is there",
        (strike("view_404"),),
        **ELSEWHERE,
    ),
    Case(
        41,
        "/view answers 500",
        "`answer` 500 at /view, twice",
        (
            strike(
                "answer", match="/view", times=2, status=500, text="Server got itself in trouble"
            ),
        ),
    ),
    *(
        Case(
            41,
            f"/view answers {status} each time",
            f"`answer` {status} at /view, always; another server is there",
            (strike("answer", match="/view", status=status, text="Server got itself in trouble"),),
            **ELSEWHERE,
        )
        for status in (500, 503)
    ),
    Case(
        41,
        "/view answers 500 each time, of a prompt that the history forgot",
        "the same, with `evict_history`: whether its file is there cannot be found out",
        (
            strike("answer", match="/view", text="Server got itself in trouble"),
            strike("evict_history"),
        ),
        **ELSEWHERE,
    ),
    *(
        Case(
            41,
            f"/view gives {what}, once",
            f"`{kind}` once",
            (strike(kind, times=1),),
            log=(*REFETCHED, "published"),
        )
        for kind, what in (
            ("view_empty", "zero bytes"),
            ("view_truncated", "half an image"),
            ("view_not_an_image", "a web page"),
        )
    ),
    Case(
        41,
        "/view gives half an image each time",
        "`view_truncated` always; another server is there",
        (strike("view_truncated"),),
        **{**ELSEWHERE, "log": (*REFETCHED, "tried", *SUCCEEDS)},
    ),
    Case(
        41,
        "/view gives another prompt's image of the same size",
        "`view_wrong_image` always; another server is there",
        (strike("view_wrong_image"),),
        **ELSEWHERE,
    ),
    Case(
        41,
        "/view gives an image of another size",
        "`view_wrong_size` always; another server is there",
        (strike("view_wrong_size"),),
        graph=FRAMED,
        **ELSEWHERE,
    ),
    Case(
        41,
        "/view comes drop by drop",
        "`drip` once at /view: 16 pieces, 0.1 s apart",
        (strike("drip", match="/view", times=1, seconds=0.1),),
    ),
    Case(
        41,
        "/view never ends",
        "`endless` always at /view, 1 MiB an image at the most; another server is there",
        (strike("endless", match="/view"),),
        settings={"MADSEA_IMAGE_MAX_BYTES": 1024**2},
        state="error",
        error="output_too_large",
        outcomes=("error",),
        log=("claimed", "posted", "failed"),
    ),
    Case(
        42,
        "another process saves an image of another size under our name",
        "the file is overwritten once it is rendered; another server is there",
        (HELD_BACK,),
        meanwhile=overwrite((20, 20)),
        graph=FRAMED,
        **ELSEWHERE,
    ),
    Case(
        42,
        "another process saves an image of the same size under our name, without metadata",
        "the same: nothing tells it from ours",
        (HELD_BACK,),
        meanwhile=overwrite((96, 54)),
        graph=FRAMED,
    ),
    Case(
        43,
        "videos, sounds, texts and previews beside the image",
        "`odd_outputs` others",
        (strike("odd_outputs", how="others"),),
    ),
    Case(
        43,
        "a name with blanks, accents, # and %, in a folder with a back-slash",
        "`odd_outputs` names",
        (strike("odd_outputs", how="names"),),
    ),
    Case(
        43,
        "the image lies in the temp folder",
        "`odd_outputs` temp; another server is there",
        (strike("odd_outputs", how="temp"),),
        **ELSEWHERE,
    ),
    Case(
        44,
        "an upload is renamed",
        "another file lies under our panel's name",
        before=take_name,
    ),
    Case(
        44,
        "the panel is gone before the prompt comes",
        "`forget_upload` once",
        (strike("forget_upload", times=1),),
    ),
    Case(
        44,
        "the panel is gone when the prompt starts",
        "`input_gone` once; no other server is there",
        (strike("input_gone", times=1),),
        outcomes=("error", "done"),
        tries=1,
        log=("claimed", "posted", "tried", *SUCCEEDS),
    ),
    Case(
        44,
        "the server's disk is full for a moment",
        "`disk_full` once",
        (strike("disk_full", times=1),),
    ),
    Case(
        44,
        "the server's disk is full",
        "`disk_full` always; another server is there",
        (strike("disk_full"),),
        n_servers=2,
        outcomes=("error", "done"),
        tries=1,
        log=("claimed", "tried", *SUCCEEDS),
    ),
)
