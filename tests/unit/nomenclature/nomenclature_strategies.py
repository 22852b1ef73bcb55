"""Legal names, and texts that nearly are, for the property tests of the nomenclature."""

from hypothesis import strategies as st

from nomenclature import rules
from nomenclature.name import FileName, UnversionedName

four_digits = st.integers(0, 9999).map("{:04d}".format)
seasons = st.integers(0, 9999)
project_ids = st.from_regex(rules.RULES["project_id"].pattern, fullmatch=True).filter(
    lambda text: rules._WINDOWS_DEVICE.fullmatch(text) is None
)
tasks_and_extensions = st.sampled_from(
    [(task, each) for task, rule in rules.TASKS.items() for each in rule.extensions]
)


@st.composite
def file_names(draw: st.DrawFn) -> FileName:
    task, extension = draw(tasks_and_extensions)
    return FileName(
        episode=f"E{draw(seasons)}{draw(st.integers(0, 99)):02d}",
        sequence_id=f"SQ{draw(four_digits)}",
        plan=draw(four_digits),
        task=task,
        version=draw(st.integers(1, rules.VERSION_MAX)),
        extension=extension,
    )


unversioned_names = file_names().map(
    lambda name: UnversionedName(
        name.episode, name.sequence_id, name.plan, name.task, name.extension
    )
)


def damaged(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The texts with a few characters replaced by others, often by ones that look alike."""
    pieces = st.sampled_from([*"_-./vVESQ019", "", "\n", "\x00", "\\", "..", "٠", "０", "é"])

    @st.composite
    def cut(draw: st.DrawFn) -> str:
        text = draw(texts)
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 3)))
        return text[:start] + draw(pieces | st.text(max_size=3)) + text[end:]

    return cut()
