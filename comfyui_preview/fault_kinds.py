"""The kinds of faults, each with its number in the protocol's fault list (§18) and a sentence.

What the sentence calls `match` is what a fault can be narrowed to; other names are its options.
Faults of others (§18.16, 28, 29, 42, 48) need no kind: anybody can post, delete and overwrite.
"""

KINDS: dict[str, str] = {
    # Requests
    "hang": "§18.2 accept a request, never answer (match: GET /path)",
    "reset": "§18.1 cut the connection instead of answering (match: GET /path)",
    "answer": "§18.7-10, 50 answer with `status`, `text`, `content_type` (match: GET /path)",
    "delay": "§18.3, 17 answer after `seconds` (match: GET /path)",
    "drip": "§18.3, 41 send the body in 16 pieces, `seconds` between them (match: GET /path)",
    "endless": "§18.41 send a body that never ends (match: GET /path)",
    "bad_json": "§18.11 answer with `text` as JSON: truncated, NaN (match: GET /path)",
    "not_numbers": "§18.11 add NaN and Infinity to an object that is answered (match: GET /path)",
    "content_type": "§18.11 answer as ever, but under `content_type` (match: GET /path)",
    "reset_after_queueing": "§18.4 queue the prompt, then cut the connection",
    "reset_before_queueing": "§18.5 cut the connection, queue nothing",
    "error_500_after_queueing": "§18.6 queue the prompt, answer 500 as text",
    "refuse_prompt": "§18.12 answer 400 with `error` and `node_errors`",
    "partial_node_errors": "§18.13 accept without the outputs `dropped`, report `node_errors`",
    "crowded_queue": "§18.49 list `count` more prompts of others, in no order",
    # Node definitions
    "missing_model": "§18.14 this server lacks the model (match: file name)",
    "missing_class": "§18.45 this server lacks the node class (match: class)",
    "odd_object_info": "§18.45 definitions that are `how`: huge, bad_ranges, new_combos,"
    " remote_combos",
    # The socket
    "refuse_ws": "§18.17 refuse the socket with `status`",
    "close_ws": "§18.18 close the owner's socket with `code`, 1006 for none, before a message"
    " (match: type)",
    "silent_ws": "§18.19 open socket that receives nothing",
    "drop_message": "§18.20 drop a message (match: type)",
    "duplicate_message": "§18.21 send a message twice (match: type)",
    "reorder_message": "§18.21 send a message after the one that follows it (match: type)",
    "foreign_message": "§18.22 send `text` before a message (match: type)",
    "odd_frames": "§18.23 before a message send short frames, garbage, one over 4 MiB (match:"
    " type)",
    "huge_progress": "§18.23 before a message send the progress of `nodes` nodes (match: type)",
    "blocked_sender": "§18.25 send nobody anything for `seconds`, as behind a reader that sleeps"
    " (match: type)",
    # Queue, history, worker
    "history_gap_s": "§18.26 write history `seconds` after execution_success",
    "evict_history": "§18.27 forget the history entry at once",
    "worker_dead": "§18.32 accept prompts, never run them, until restart",
    "worker_stuck": "§18.32 the next prompt is for ever the running one, until restart",
    "odd_entry": "§18.39 a history entry that is `how`: no_status, null_output, missing_node,"
    " success_with_error (match: prompt id)",
    "clock_skew": "§18.47 tell times that are `seconds` ahead",
    # Nodes
    "node_hang": "§18.33 a node takes `seconds`, deaf to interrupts (match: class, prompt id)",
    "ignore_interrupt": "§18.34 take no notice of an interrupt",
    "node_error": "§18.35 a node raises `message` of `type`, with `traceback_lines` of traceback"
    " (match: class, prompt id)",
    "nested_nodes": "§18.35 a node makes nodes of its own, such as 2.0.0.1 (match: class,"
    " prompt id)",
    "oom": "§18.36 a node runs out of memory until /free (match: class, prompt id)",
    "poisoned": "§18.37 every node fails with a CUDA error until restart",
    "blocked_branch": "§18.38 tell of an ExecutionBlocked, and go on (match: class, prompt id)",
    "odd_progress": "§18.46 steps that go `how`: backwards, of_none, never (match: class,"
    " prompt id)",
    # Outputs
    "empty_outputs": "§18.39 succeed without outputs (match: prompt id)",
    "cached_without_outputs": "§18.40 tell no outputs of nodes whose result is cached"
    " (match: prompt id)",
    "odd_outputs": "§18.43 outputs that are `how`: others (more keys and files), names (blanks,"
    " accents, #, %, \\), temp (match: prompt id)",
    "view_404": "§18.41 no such file (match: file name)",
    "view_empty": "§18.41 zero bytes (match: file name)",
    "view_truncated": "§18.41 the first half of the file (match: file name)",
    "view_not_an_image": "§18.41 HTML instead of the image (match: file name)",
    "view_wrong_image": "§18.41 the image of another prompt, of the same size (match: file name)",
    "view_wrong_size": "§18.41 the image at half its size (match: file name)",
    # Inputs
    "disk_full": "§18.44 an upload answers 500",
    "forget_upload": "§18.44 an uploaded file is gone once it is answered for (match: file name)",
    "input_gone": "§18.44 the input files are gone when a prompt starts (match: prompt id)",
}
