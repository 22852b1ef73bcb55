"""The web process: what stands between the server and the views."""
