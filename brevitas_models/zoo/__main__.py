"""`python -m brevitas_models.zoo RUN NAME`: puts the network of a finished training into the zoo."""

import argparse
import json
import sys
from pathlib import Path

from brevitas_models.zoo.adding import add_to_zoo
from brevitas_models.zoo.entries import load_entry
from finn_flow.errors import UserError


def main() -> int:
    """Add the network and print what is known of it; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m brevitas_models.zoo", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished `dsode train`")
    parser.add_argument("name", help="the network's name in the zoo, e.g. mnist-usps-small")
    arguments = parser.parse_args()
    try:
        add_to_zoo(arguments.run, arguments.name)
        print(json.dumps(load_entry(arguments.name).to_json(), indent=2))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
