"""`python -m cs_vis`: the same as the command cs-vis."""

from cs_vis.cli import main

if __name__ == "__main__":  # worker processes import this file too, and must not start again
    main()
