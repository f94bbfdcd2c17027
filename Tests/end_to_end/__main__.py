"""`python3 Tests/end_to_end [NAME…]`: these tests side by side; --help says more."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True

from harness.side_by_side import main

if __name__ == "__main__":
    sys.exit(main(HERE, os.path.dirname(HERE)))
