import http.client
import json
import threading
import time

from packager.verify.runtime_api import RuntimeApi

NEXT = "/2018-06-01/runtime/invocation/next"


def ask(api: RuntimeApi, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(api.address, timeout=10)
    connection.request(method, path, body=body)
    response = connection.getresponse()
    try:
        return response.status, response.read()
    finally:
        connection.close()


def test_one_event_and_its_answer() -> None:
    with RuntimeApi(b'{"a": 1}', deadline_seconds=7) as api:
        assert api.wait(0) is None
        connection = http.client.HTTPConnection(api.address, timeout=10)
        connection.request("GET", NEXT)
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b'{"a": 1}')
        left = int(response.headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
        assert 5 < left <= 7
        identity = response.headers["Lambda-Runtime-Aws-Request-Id"]
        assert response.headers["Lambda-Runtime-Invoked-Function-Arn"].startswith("arn:aws:lambda:")
        path = f"/2018-06-01/runtime/invocation/{identity}/response"
        connection.request("POST", path, body=b'"done"')
        answer = connection.getresponse()
        assert answer.status == 202
        answer.read()
        outcome = api.wait(5)
        connection.close()
    assert outcome is not None
    assert (outcome.kind, outcome.body) == ("response", b'"done"')
    assert outcome.asked is not None
    assert outcome.asked <= outcome.answered


def test_errors_are_told_apart_and_the_first_answer_stays() -> None:
    with RuntimeApi(b"{}", deadline_seconds=1) as api:
        assert ask(api, "POST", "/2018-06-01/runtime/init/error", b'{"errorType":"X"}')[0] == 202
        path = f"/2018-06-01/runtime/invocation/{api.request_id}/error"
        assert ask(api, "POST", path, b"{}")[0] == 202
        outcome = api.wait(0)
    assert outcome is not None
    assert (outcome.kind, json.loads(outcome.body), outcome.asked) == (
        "init-error",
        {"errorType": "X"},
        None,
    )


def test_a_body_in_chunks_is_read() -> None:
    with RuntimeApi(b"{}", deadline_seconds=1) as api:
        path = f"/2018-06-01/runtime/invocation/{api.request_id}/response"
        connection = http.client.HTTPConnection(api.address, timeout=10)
        connection.request("POST", path, body=iter([b'{"a"', b": 1}"]), encode_chunked=True)
        assert connection.getresponse().status == 202
        outcome = api.wait(5)
        connection.close()
    assert outcome is not None
    assert outcome.body == b'{"a": 1}'


def test_unknown_paths_and_foreign_answers_are_refused() -> None:
    with RuntimeApi(b"{}", deadline_seconds=1) as api:
        assert ask(api, "GET", "/")[0] == 404
        other = "/2018-06-01/runtime/invocation/00000000-0000/response"
        assert ask(api, "POST", other, b"{}")[0] == 404
        assert api.wait(0) is None


def test_who_asks_again_waits_until_the_end() -> None:
    with RuntimeApi(b"{}", deadline_seconds=1) as api:
        assert ask(api, "GET", NEXT)[0] == 200
        ended: list[BaseException] = []

        def again() -> None:
            try:
                ask(api, "GET", NEXT)
            except (http.client.HTTPException, OSError) as error:
                ended.append(error)

        thread = threading.Thread(target=again)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(60)
    assert not thread.is_alive()
    assert len(ended) == 1
