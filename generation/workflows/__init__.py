"""What a ComfyUI graph means: what it takes, what it gives, what is not known of it.

Not to be taken for the top-level folder `workflows/`, which holds the graphs themselves.
"""
