"""Programs that try Madsea hard: chaos, faults, benchmarks, hostile and real servers."""
