"""The table of what is read of workflows: what a line tells, and what counts as the same graph."""

from pathlib import Path

import pytest

from lab.workflows import __main__ as corpus
from lab.workflows import template_reading, workflow_rows

DATA = Path(__file__).resolve().parent.parent / "data" / "workflows"


def line(name: str) -> workflow_rows.Line:
    return workflow_rows.read(DATA / name)


def test_a_line_tells_what_is_found() -> None:
    assert line("graphs/c01_hires_fix.json").cells() == [
        "c01_hires_fix.json",
        "yes",
        "3.seed, 14.seed",
        "6.text: 'black cut paper figures'",
        "11.image",
        "1 of 9",
        "–",
        "–",
    ]


def test_a_line_tells_what_is_asked() -> None:
    found = line("graphs/c14e_control_image_and_apng.json")

    assert found.is_read
    assert found.cells()[6] == "which_result"


def test_a_line_says_why_a_workflow_cannot_be_used() -> None:
    assert line("graphs/c15_save_video.json").cells()[1].startswith("saves_video: ")
    assert line("broken/d08g_truncated.json").cells()[1].startswith("not_json: ")


def test_the_summary_counts_what_is_found_in_what_is_read() -> None:
    names = ("graphs/b_img2img.json", "graphs/c10_no_loadimage.json", "broken/d08_empty.json")

    assert workflow_rows.summary(map(line, names)) == (
        "2 of 3 are read: 2 with a seed, 2 with a prompt, 1 with a panel, 0 with a question."
    )


def test_a_whole_number_and_its_decimal_are_the_same_value() -> None:
    def graph(steps: object) -> workflow_rows.Graph:
        return {"1": {"class_type": "A", "inputs": {"steps": steps, "model": ["2", 0]}}}

    assert workflow_rows.sha256(graph(30)) == workflow_rows.sha256(graph(30.0))
    assert workflow_rows.sha256(graph(30)) != workflow_rows.sha256(graph(31))


def test_every_folder_has_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "Mine.json").write_bytes((DATA / "graphs" / "b_img2img.json").read_bytes())

    assert corpus.main([str(tmp_path)]) == 0

    said = capsys.readouterr().out
    assert "| Mine.json | yes |" in said
    assert said.count("## ") == 4


def test_a_template_that_is_gone_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "plain.json").write_bytes((DATA / "editor" / "h01_plain.ui.json").read_bytes())

    assert template_reading.main([str(tmp_path)]) == 1

    said = capsys.readouterr().out
    assert "| plain.json | yes |" in said
    assert "of those on which two versions of the page agree, 0 of 43." in said
