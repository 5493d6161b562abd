from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.docs.processes import create_environment, run_program

FOLDER = ROOT / "examples"
NAMES = sorted(path.name for path in FOLDER.glob("*.py"))

OUTPUTS = {
    "agent_with_tool.py": """\
get_stock: Error: there is no article '17'; known are A-17, B-4
get_stock: 12
There are 12 pieces of A-17.
""",
    "agents_as_tools.py": """\
historian: For some thousands of years.
critic: It is not true.
People have used lids for ages.
4 model calls, 2 tool calls
""",
    "approvals.py": """\
ok: 19.99 EUR paid back for A-17
denied: Error: not carried out: a person denied it: refunds above 50 EUR go to the manager
That is what I could do.
""",
    "blueprint.py": """\
making the model 'default'
calculate: {"result":"3.3","exact":true}
{'total': 3.3}
till.yaml has 1 problem
till.yaml:21:11: no tool is named 'calcluate': did you mean 'calculate'?
      tools: [calcluate]
              ^
""",
    "budgets.py": """\
Good morning. It cost 10 millionths of a dollar.
Good morning. It cost 10 millionths of a dollar.
tenant:acme has 0 requests left
used: 2 requests, 24 tokens, 20 millionths of a dollar
""",
    "cassette.py": """\
(looking up Bern)
recorded: Sunny.
replayed: Sunny.
missed:
--- recorded
+++ requested
@@ -3,5 +3,5 @@
   {
    "role": "user",
-   "text": "How is the weather in Bern?"
+   "text": "How is the weather in Rome?"
   }
  ],
""",
    "evals.py": """\
pass: 9 of 10 attempts passed, 1 failed
  try 3: tool_called get_stock: expected at least 1 times: there were no calls
fail: 9 of 10 attempts passed, 1 failed
  try 3: tool_called get_stock: expected at least 1 times: there were no calls
""",
    "guardrails.py": """\
[detect_personal_data, input: replace]
[no-promises, output: retry]
[detect_personal_data, output: replace]
It works. Write to [email].
The model saw ['I am [email]. Does it work?']
[limit_length, input: block]
Sorry: guardrail 'limit_length' of agent 'clerk' blocked the prompt: \
the text has 1400 characters, and 200 are allowed: make it shorter
""",
    "handoff.py": """\
reception -> repairs
repairs: Send us the lid, we will replace it.
['system', 'user', 'assistant', 'tool']
""",
    "permissions.py": """\
refused: hosts evil.example.net
refused: hosts http://169.254.169.254
ok: {"path":"plan.md","start_line":1,"end_line":1,"total_lines":1,"text":"1\\tSell lids."}
error: Error: '../secret.txt' leads out of the folder by '..': give a path below it
denied: Error: not permitted (hosts): 'evil.example.net': \
permissions.hosts of the blueprint does not name it
denied: Error: not permitted (hosts): 'http://169.254.169.254': \
permissions.hosts of the blueprint does not name it
We sell lids.
""",
    "records.py": """\
run_started model_requested model_answered tool_started tool_finished \
model_requested text_received text_received text_received model_answered run_finished
finished: It is 42. (2 model calls)
unfinished: calculate has the outcome 'unknown'
It still is 42.
""",
    "search_documents.py": """\
No language model is configured; I am a search that quotes documents word for word. \
This passage fits the question best:

FOLDER/handbook.md:3 (Holidays)
> Every employee has 30 days of holiday a year. Ask for them two weeks before.

For answers in a model's own words, set OPENAI_API_KEY, \
or OPENAI_BASE_URL for a server of your own, and ask again.
""",
    "session.py": """\
monday: I will remember it. (4 messages, the model saw 3)
monday: Hello again. (6 messages, the model saw 1)
friday: Green tea. (4 messages, the model saw 3)
remembered: Ada drinks green tea.
""",
    "streaming_events.py": """\
-> calculate {"expression": "0.1 + 0.2"}
<- {"result":"0.3","exact":true}
It is exactly 0.3.
2 model calls
""",
    "structured_output.py": """\
A-17: 42.00 EUR until 2026-12-06
2 model calls
""",
    "workflow.py": """\
We are sorry. A lid for your A-17 is on its way.
""",
    "workflow_with_person.py": """\
Published: Lids are back.
2 model calls
""",
}


def run_at_terminal(folder: Path, name: str, typed: str) -> str:
    """Run an example at a terminal at which somebody types, and return what stands there in the end."""
    ours, theirs = pty.openpty()
    try:
        # What is typed before it is asked for waits in the terminal.
        os.write(ours, typed.encode())
        done = subprocess.run(
            [sys.executable, "-W", "error", str(FOLDER / name)],
            cwd=folder,
            env=create_environment(),
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_example_prints_what_it_is_meant_to_show(name: str, tmp_path: Path) -> None:
    printed = run_program(tmp_path, str(FOLDER / name))

    assert re.sub(r"^/.*/(?=handbook\.md)", "FOLDER/", printed, flags=re.M) == OUTPUTS[name]


@pytest.mark.parametrize(
    ("name", "typed", "shown"),
    [
        ("approvals.py", "n\ny\n", ["denied: ", "ok: 900.00 EUR paid back for B-4"]),
        ("workflow_with_person.py", "discard\n", ["Discarded: Lids are back."]),
    ],
)
def test_example_does_what_a_person_at_the_terminal_says(
    name: str, typed: str, shown: list[str], tmp_path: Path
) -> None:
    screen = run_at_terminal(tmp_path, name, typed)

    assert [text for text in shown if text not in screen] == []


def test_every_example_is_listed_in_the_readme_of_the_examples() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert [name for name in NAMES if f"]({name})" not in text] == []


def test_what_every_example_prints_is_known() -> None:
    assert sorted(OUTPUTS) == NAMES
