"""Reading storyboards: files of other programs in, boards with pictures, texts and doubts out.

Knows nothing of Django and of rows. Foreign files are read in a child process with limits of time
and memory, which writes what it found into a folder.
"""
