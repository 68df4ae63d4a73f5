"""`python -m packager` is the `lpack` command."""

from packager.cli.entry import main

if __name__ == "__main__":
    main()
