"""Documents of a made-up project, and questions that they answer."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DOCUMENTS", "QUESTIONS", "write_documents"]

DOCUMENTS = {
    "README.md": """\
# Weather Station

Collects measurements of many sensors and serves them over HTTP. Needs Python 3.11 or newer.

Ask it something:

```sh
weather ask "How do I add a sensor?"
```

## Installing

```sh
pip install weather-station
```
""",
    "CONTRIBUTING.md": """\
# Contributing

Thank you for your help. Every change needs a test.

## Running the checks

To run the unit tests call `make test-unit`; they need no network. All tests, the slow ones included, run with:

```sh
make test
```

Lint and types are checked by `make lint`.

## Adding a sensor

1. Create a folder below `sensors/`.
2. Write a class with a method `measure`.
3. Register it in `sensors/registry.py`.

## Releasing

Raise the number in `VERSION`, then push a tag `vX.Y.Z`. CI publishes the wheel.
""",
    "docs/configuration.md": """\
# Configuration

All settings are environment variables.

| variable | meaning | default |
|---|---|---|
| `WEATHER_PORT` | port of the server | 8080 |
| `WEATHER_TOKEN` | token that clients must send | none |
| `WEATHER_INTERVAL` | seconds between two measurements | 60 |

## Where data is stored

Measurements are stored in SQLite, in the file that `WEATHER_DATABASE` names. Rows older than 90 days are deleted every
night.

## Without a token

Without a token the server answers on the loopback interface only. Set `WEATHER_TOKEN` to open it to the network.
""",
    "docs/errors.md": """\
# Errors

## SensorTimeout

A sensor did not answer within its deadline. Check the cable, then raise `deadline` of the sensor.

## DatabaseLocked

Another process writes to the database. Stop it, or use a database of its own.
""",
    "docs/concepts.rst": """\
Concepts
========

Sensor
------

A sensor is an object with the method ``measure``, which returns a reading.

Reading
-------

A reading has a value, a unit and a time in UTC. Readings cannot be changed.
""",
}

# Question, file and line of the best quotation, and what it must contain.
QUESTIONS = (
    ("How do I add a sensor?", "CONTRIBUTING.md:17", "Register it in `sensors/registry.py`."),
    ("How do I run the unit tests?", "CONTRIBUTING.md:7", "make test-unit"),
    ("What happens without a token?", "docs/configuration.md:18", "loopback interface only"),
    ("Where are measurements stored?", "docs/configuration.md:13", "stored in SQLite"),
    ("How can I release a version?", "CONTRIBUTING.md:23", "push a tag"),
    ("which port does the server use", "docs/configuration.md:7", "`WEATHER_PORT`"),
    ("What is a reading?", "docs/concepts.rst:12", "A reading has a value"),
    ("How do I install it?", "README.md:13", "pip install weather-station"),
    ("Which Python version is needed?", "README.md:3", "Python 3.11 or newer"),
    ("what does SensorTimeout mean", "docs/errors.md:5", "did not answer within its deadline"),
    ("Why is the database locked?", "docs/errors.md:9", "Another process writes"),
    ("how do I delete old data", "docs/configuration.md:13", "older than 90 days"),
    (
        "What does WEATHER_INTERVAL do?",
        "docs/configuration.md:9",
        "seconds between two measurements",
    ),
    ('Where is "deadline of the sensor" set?', "docs/errors.md:5", "raise `deadline`"),
    ("Which checks are there for types?", "CONTRIBUTING.md:13", "make lint"),
)


def write_documents(folder: Path) -> None:
    for name, text in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
