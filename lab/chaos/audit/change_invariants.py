"""What those who listen to episodes were told, or would have been: every change, once, in order."""

from collections import Counter

from generation.models import Batch, EpisodeChange, Sequencer
from lab.chaos.audit.evidence import Evidence, Verdict


def told(_: Evidence) -> Verdict:
    """Each revision of a batch has left one change, and their numbers follow one another."""
    sequencer = Sequencer.objects.first() or Sequencer()
    numbers = list(
        EpisodeChange.objects.exclude(number=None)
        .order_by("number")
        .values_list("number", flat=True)
    )
    broken = []
    if numbers != list(range(sequencer.pruned_to + 1, sequencer.last_number + 1)):
        broken.append(f"{len(numbers)} numbers are not those up to {sequencer.last_number}")
    left = Counter(EpisodeChange.objects.values_list("batch_id", flat=True))
    if not sequencer.pruned_to:
        broken += [
            f"batch {batch} has revision {batch.revision} and left {left[batch.pk]} changes"
            for batch in Batch.objects.all()
            if left[batch.pk] != batch.revision
        ]
    n_new = EpisodeChange.objects.filter(number=None).count()
    said = f"{len(numbers)} changes are numbered, {n_new} not yet"
    return Verdict("L", "Whoever listens is told every change", said, broken)
