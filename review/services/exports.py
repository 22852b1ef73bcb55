"""What of an episode leaves the page: all that a filter of the light table shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from generation.errors import NotFound
from generation.models import Episode, Version
from generation.models import Sequence as SequenceRow
from review.selectors import light_table
from review.selectors.light_table import TableQuery, Tile
from wording import say


@dataclass(frozen=True)
class Selection:
    """What a filter shows: tiles in the order of the story."""

    episode: Episode
    asked: TableQuery
    tiles: Sequence[Tile]

    @property
    def name(self) -> str:
        """What a file of it is called, without what it ends with."""
        parts = (self.episode.code, self.asked.sequence, self.asked.style)
        show = "" if self.asked.show == light_table.Show.ALL else self.asked.show.value
        return "_".join(part for part in (*parts, show) if part)

    @property
    def version_ids(self) -> list[int]:
        """The versions whose pictures stand for their plans."""
        return [tile.picture.id for tile in self.tiles if tile.picture]

    def versions(self) -> list[Version]:
        """Return the versions, in the order of the story."""
        rows = Version.objects.published().select_related("plan").in_bulk(self.version_ids)
        return [rows[pk] for pk in self.version_ids if pk in rows]


def select(of: Episode, asked: TableQuery) -> Selection:
    """Return what a filter shows.

    Raises:
        NotFound: the episode has no such sequence.
    """
    named = SequenceRow.objects.filter(episode=of, code=asked.sequence)
    if asked.sequence and not named.exists():
        raise NotFound(
            say(
                "There is no sequence {sequence} in {episode}.",
                sequence=asked.sequence,
                episode=of.code,
            ),
            code="unknown_sequence",
            attr="sequence_id",
        )
    return Selection(of, asked, light_table.all_fitting(of, asked))
