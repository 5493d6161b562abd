"""A stand-in for the package ``xllamacpp``: what the engine uses of it, answering from a script."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

__all__ = ["FakeLlama", "chunks", "install"]


def chunks(*texts: str, finish_reason: str = "stop") -> list[dict[str, Any]]:
    """Return the chunks in which llama.cpp would stream a text."""
    pieces = [{"choices": [{"delta": {"content": text}, "finish_reason": None}]} for text in texts]
    end = {"choices": [{"delta": {}, "finish_reason": finish_reason}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": len(texts)}}
    return [*pieces, end, usage]


class FakeLlama:
    """What the stand-in was asked, and what it answers.

    Attributes:
        answers: The chunks of each answer, one after the other; the last one stays. An exception is raised.
        params: The settings of each server that was made.
        bodies: The requests, the engine's own first one of each server left out.
        hold: Cleared by a test to keep the stand-in from going on after a first chunk.
        stopped: Set when the caller asked it to stop.
        broken: Whether no server can be made.
    """

    def __init__(self) -> None:
        self.answers: list[list[dict[str, Any]] | Exception] = [chunks("Paris.")]
        self.params: list[Any] = []
        self.bodies: list[Any] = []
        self.hold = threading.Event()
        self.hold.set()
        self.stopped = threading.Event()
        self.broken = False

    def create_params(self) -> Any:
        """Stand in for ``CommonParams``."""
        return SimpleNamespace(model=SimpleNamespace(), cpuparams=SimpleNamespace())

    def create_server(self, params: Any) -> Any:
        """Stand in for ``Server``."""
        if self.broken:
            raise RuntimeError("Failed to init server, please check the input params.")
        assert Path(params.hostnames[0]).parent.is_dir()
        self.params.append(params)
        return SimpleNamespace(handle_chat_completions=self.handle)

    def handle(self, body: Any, callback: Callable[[dict[str, Any]], bool]) -> None:
        """Stand in for ``Server.handle_chat_completions``."""
        if body["max_tokens"] == 1:
            callback({"choices": []})
            return
        self.bodies.append(body)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        for item in answer:
            if callback(item):
                self.stopped.set()
                return
            self.hold.wait(10)


def install(monkeypatch: pytest.MonkeyPatch) -> FakeLlama:
    """Put a stand-in where the package would be imported from."""
    fake = FakeLlama()
    module = ModuleType("xllamacpp")
    module.__spec__ = ModuleSpec("xllamacpp", None)
    module.__dict__.update(CommonParams=fake.create_params, Server=fake.create_server)
    monkeypatch.setitem(sys.modules, "xllamacpp", module)
    return fake
