"""The naming rule of the studio: names, folders and what each field of them may hold.

Pure Python. Nothing else in Madsea builds or takes apart the name of a file.
"""
