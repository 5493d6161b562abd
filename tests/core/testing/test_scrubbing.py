from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.context import ToolContext
from agent_factory.core.exceptions import ConfigurationError, ModelError
from agent_factory.core.messages import AssistantMessage, UserMessage
from agent_factory.core.models import (
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolSpec,
)
from agent_factory.core.testing import (
    Cassette,
    CassetteMissError,
    ScriptedModel,
    ScriptedStream,
    create_tool_call,
)
from agent_factory.core.tools import tool

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.models import Model
    from agent_factory.core.testing import Answer

CONTEXT = ToolContext(None, "run", "call")
SECRET = 'blue "horse" / battery'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tape.json"


def ask(text: str) -> ModelRequest:
    return ModelRequest((UserMessage(text),))


def respond(model: Model, request: ModelRequest) -> ModelResponse:
    return asyncio.run(model.respond(request))


def read(model: Model, request: ModelRequest) -> list[Any]:
    async def scenario() -> list[Any]:
        return [item async for item in model.stream(request)]

    return asyncio.run(scenario())


def record(path: Path, answer: Answer, request: ModelRequest, *secrets: str) -> str:
    with Cassette(path, "record", secrets=secrets) as cassette:
        read(cassette.wrap_model(ScriptedModel([answer], name="m")), request)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        f"before{SECRET}after",
        json.dumps({"a": [SECRET]}),
        quote(SECRET, safe=""),
        f"at\nAuthorization: {SECRET}\n",
    ],
)
def test_named_secret_is_not_written_in_any_form_and_found_again(path: Path, shown: str) -> None:
    text = record(path, f"You said {shown}", ask(shown), SECRET)

    assert "horse" not in text
    with Cassette(path, secrets=[SECRET]) as cassette:
        answer = respond(cassette.wrap_model(), ask(shown)).message.text
    assert "horse" not in answer
    assert "[secret]" in answer


def test_secret_that_is_named_during_the_test_is_not_written_either(path: Path) -> None:
    with Cassette(path, "record") as cassette:
        model = cassette.wrap_model(ScriptedModel([f"It is {SECRET}."], name="m"))
        cassette.add_secret(respond(model, ask("Make a password.")).message.text[6:-1])

    assert "horse" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("secret", ["secret", "[secret]", "ecre", "]tulip[", "cret]"])
def test_secret_that_is_like_the_placeholder_is_found_again(path: Path, secret: str) -> None:
    shown = f"a {secret}{secret} [{secret}] b"
    record(path, shown, ask(shown), secret)

    with Cassette(path, secrets=[secret]) as cassette:
        answer = respond(cassette.wrap_model(), ask(shown)).message.text
    with Cassette(path, secrets=[secret]) as cassette:
        assert answer != shown or secret == "[secret]"
        assert respond(cassette.wrap_model(), ask(shown)).message.text == answer


def test_program_that_records_gets_the_secret_itself(path: Path) -> None:
    with Cassette(path, "record", secrets=[SECRET]) as cassette:
        model = cassette.wrap_model(ScriptedModel([SECRET], name="m"))
        assert respond(model, ask("?")).message.text == SECRET


def test_secret_in_pieces_is_not_written(path: Path) -> None:
    pieces: list[ModelDelta] = [
        TextDelta("It is blue"),
        ReasoningDelta("x blue "),
        TextDelta(' "horse"'),
        ReasoningDelta('"horse" / battery'),
        TextDelta(" / battery."),
    ]
    logprobs = tuple(TokenLogprob(piece.text, -1.0) for piece in pieces)
    response = ModelResponse(AssistantMessage(f"It is {SECRET}."), logprobs=logprobs)

    text = record(path, ScriptedStream(pieces, response), ask("?"), SECRET)

    assert "horse" not in text
    assert "battery" not in text
    with Cassette(path) as cassette:
        *played, last = read(cassette.wrap_model(), ask("?"))
    assert [piece for piece in played if isinstance(piece, TextDelta)] == [
        TextDelta("It is [secret].")
    ]
    assert [piece for piece in played if isinstance(piece, ReasoningDelta)] == [
        ReasoningDelta("x [secret]")
    ]
    assert last.message.text == "It is [secret]."
    assert last.logprobs == ()


@pytest.mark.parametrize(
    "key", ["password", "X-Api-Key", "Authorization", "set-cookie", "accessToken", "client_secret"]
)
@pytest.mark.parametrize(
    "value", ["tulip", 471100, ["tulip", {"a": "tulip"}], {"a": {"b": "tulip"}}]
)
def test_value_under_a_key_that_tells_is_not_written(path: Path, key: str, value: object) -> None:
    answer = create_tool_call("log_in", {key: value, "user": "ann"})

    text = record(path, answer, ask(json.dumps({"headers": {key: value}})))

    assert "tulip" not in text
    assert "471100" not in text
    assert "ann" in text


@pytest.mark.parametrize("name", ["Authorization", "proxy-authorization", "Cookie", "X-API-Key"])
def test_header_in_a_text_is_not_written(path: Path, name: str) -> None:
    text = record(path, f"I got:\n  {name}: Basic tulip rose\nHost: x", ask("?"))

    assert "tulip" not in text
    assert "rose" not in text
    assert "Host: x" in text


@pytest.mark.parametrize(
    "token", ["sk-" + "aB3dE5gH7jK9mN1pQ3sT5vW7", "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3eF5"]
)
def test_token_of_a_known_form_is_not_written(path: Path, token: str) -> None:
    text = record(path, f"Use {token}.", ask(f"My key is {token}"))

    assert token not in text
    with Cassette(path) as cassette:
        respond(cassette.wrap_model(), ask(f"My key is {token}"))


def test_schema_with_a_telling_name_stays_a_schema(path: Path) -> None:
    schema = {"type": "object", "properties": {"password": {"type": "string"}}}
    request = ModelRequest((UserMessage("?"),), (ToolSpec("log_in", "", schema),))

    text = record(path, "x", request)

    assert json.loads(text)["recordings"][0]["request"]["tools"][0]["parameters"] == schema


def test_error_of_a_model_is_written_without_secrets(path: Path) -> None:
    error = ModelError(f"refused {SECRET}", model="m", details={"password": "tulip"})
    with Cassette(path, "record", secrets=[SECRET]) as cassette, pytest.raises(ModelError):
        read(cassette.wrap_model(ScriptedModel([error], name="m")), ask("?"))

    text = path.read_text(encoding="utf-8")
    assert "horse" not in text
    assert "tulip" not in text


def test_result_of_a_tool_is_written_without_secrets_and_goes_on_matching(path: Path) -> None:
    @tool
    def log_in(password: str) -> dict[str, object]:
        """Log in."""
        return {"token": "tulip", "user": SECRET, "rate": 1e22}

    contents = []
    for mode in ("record", "replay"):
        with Cassette(path, mode, secrets=[SECRET]) as cassette:
            wrapped = cassette.wrap_tool(log_in)
            content = asyncio.run(wrapped.run(CONTEXT, json.dumps({"password": SECRET})))
            model = cassette.wrap_model(ScriptedModel(["Done."], name="m"))
            respond(model, ask(content))
            contents.append(content)

    assert "horse" in contents[0]
    assert json.loads(contents[1]) == {"token": "[secret]", "user": "[secret]", "rate": 1e22}


def test_calls_keep_their_identifiers_whatever_they_look_like(path: Path) -> None:
    ids = ["ghp_" + letter * 36 for letter in "ab"]
    calls = tuple(create_tool_call("look", {}, call_id=call_id) for call_id in ids)
    record(path, AssistantMessage("", calls), ask("?"))

    with Cassette(path) as cassette:
        answer = respond(cassette.wrap_model(), ask("?"))

    assert [call.id for call in answer.message.tool_calls] == ids


def test_miss_shows_no_secret(path: Path) -> None:
    record(path, "x", ask(f"one {SECRET}"), SECRET)

    with pytest.raises(CassetteMissError) as caught:
        respond(Cassette(path, secrets=[SECRET]).wrap_model(), ask(f"two {SECRET}"))

    assert "horse" not in str(caught.value)
    assert "two [secret]" in str(caught.value)


def test_secret_that_is_too_short_is_refused_without_being_shown(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="at least 4") as caught:
        Cassette(path, secrets=["zq7"])
    assert "zq7" not in str(caught.value)


def test_empty_secret_is_passed_over(path: Path) -> None:
    assert "Hello." in record(path, "Hello.", ask("?"), "")


@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=4, max_size=12),
    before=st.text(max_size=5),
    as_json=st.booleans(),
)
@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_request_with_a_secret_is_always_found_again(
    tmp_path: Path, secret: str, before: str, as_json: bool
) -> None:
    path = tmp_path / "tape.json"
    shown = json.dumps({"a": before + secret}) if as_json else before + secret
    record(path, shown, ask(shown), secret)

    with Cassette(path, secrets=[secret]) as cassette:
        model = cassette.wrap_model()
        answer = respond(model, ask(shown)).message.text
    # What was answered may be said again, and is the same then.
    with Cassette(path, secrets=[secret]) as cassette:
        respond(cassette.wrap_model(), ask(answer))
