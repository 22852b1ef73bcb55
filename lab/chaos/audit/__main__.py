"""`python -m lab.chaos.audit CASE`, in a site's environment: hold a run against the invariants.

The last line printed is a JSON list with a verdict for each invariant.
"""

import importlib
import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Judge the case in the file that is named."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "madsea.settings"
    importlib.import_module("django").setup()
    court = importlib.import_module("lab.chaos.audit.all_invariants")
    case = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(f"{json.dumps(court.verdicts(case))}\n")


if __name__ == "__main__":
    main()
