"""What `make bench` measures: big requests, throughput against a bare client, and latency."""
