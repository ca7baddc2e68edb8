"""`python -m campaign.faults.guardian STATE RUN LOCK ENGINE`; started by the run, never by hand."""

import sys

from campaign.faults.guardian.program import main

if __name__ == "__main__":
    main(sys.argv[1:])
