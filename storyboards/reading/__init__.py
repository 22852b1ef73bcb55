"""Reading storyboards: files of other programs in, boards with pictures, texts and doubts out.

Knows nothing of Django and of rows. Foreign files are read in a child process with limits of time
and memory (`child_launch.read_in_child`), which writes what it found into a folder (`read`).
"""

from storyboards.reading.kind_detection import read

__all__ = ["read"]
