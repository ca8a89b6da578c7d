from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server, wait_until
from tests.serve.running_app import keys

from wending.chat.answerer import AnswerFailed
from wending.chat.remote_model import RemoteModel

QUESTION = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with live_server(FakeClient("你好 👋, world!"), keys=keys("sk-1")) as server:
        yield server


def test_streams_an_answer(server: LiveServer) -> None:
    model = RemoteModel(server.url, None, "sk-1", 0.5)
    pieces: list[str] = []
    assert model.name == "fake-model"
    assert model.answer(QUESTION, pieces.append) == "stop"
    assert "".join(pieces) == "你好 👋, world!"
    assert len(pieces) > 5
    assert server.client.conversations[-1] == QUESTION
    assert server.client.params[-1].temperature == 0.5


def test_a_url_with_a_path_is_taken_as_it_is(server: LiveServer) -> None:
    assert RemoteModel(server.url + "/v1/", None, "sk-1", None).name == "fake-model"
    with pytest.raises(AnswerFailed, match="404"):
        RemoteModel(server.url + "/v2", None, "sk-1", None)


def test_a_wrong_key(server: LiveServer) -> None:
    with pytest.raises(AnswerFailed, match=r"The API key is not one of this server's\. \(HTTP 401\)"):
        RemoteModel(server.url, None, "sk-2", None)
    with pytest.raises(AnswerFailed, match="An API key is needed"):
        RemoteModel(server.url, "fake-model", None, None).answer(QUESTION, print)


def test_an_unknown_model(server: LiveServer) -> None:
    with pytest.raises(AnswerFailed, match="'other' does not exist"):
        RemoteModel(server.url, "other", "sk-1", None).answer(QUESTION, print)


def test_an_error_in_the_middle(server: LiveServer) -> None:
    server.client.fail_after = 3
    pieces: list[str] = []
    with pytest.raises(AnswerFailed, match="logits are not finite"):
        RemoteModel(server.url, None, "sk-1", None).answer(QUESTION, pieces.append)
    assert "".join(pieces) == "你好 "


def test_nobody_there() -> None:
    with pytest.raises(AnswerFailed, match=r"http://127\.0\.0\.1:9/v1: .*9"):
        RemoteModel("http://127.0.0.1:9", None, None, None)


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """What Python does at Ctrl-C by itself: an event loop of another test may have left its own handler."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
def test_ctrl_c_stops_the_answer_and_frees_the_engine(server: LiveServer) -> None:
    server.client.delay_s = 30
    model = RemoteModel(server.url, None, "sk-1", None)

    def interrupt() -> None:
        wait_until(lambda: len(server.client.running) == 1)
        main_thread = threading.main_thread().ident
        assert main_thread is not None
        signal.pthread_kill(main_thread, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        model.answer(QUESTION, print)
    thread.join()
    wait_until(lambda: server.client.running == set())
    server.client.delay_s = 0
    assert model.answer(QUESTION, lambda _: None) == "stop"
