"""`python -m headstart`: the same as the `headstart` command, also under torchrun."""

from headstart.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
