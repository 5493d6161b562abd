"""Lets ``python -m agent_factory.cli`` do what ``agent-factory`` does."""

from agent_factory.cli.main import main

if __name__ == "__main__":
    main()
