"""The live page, in a real browser, with the simulated board behind it; and what is posted that is no picture."""

import http.client
import json
import threading
import time

import numpy as np
import pytest
from PIL import Image

from finn_flow.deployment.driver.serve import MOST_BYTES, LiveServer
from tests.finn_flow.report.browser import Browser


@pytest.fixture
def server(boards, accelerators):
    """Return a server on a free port."""
    with LiveServer(accelerators(boards()), port=0) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def post(server, content: bytes, path: str = "/classify", **headers: str) -> tuple[int, dict]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=60)
    connection.request("POST", path, content, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_pictures_on_the_page_get_their_classes(server, digits, tmp_path, tmp_path_factory):
    images, expected = digits
    paths = []
    for number in range(2):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(images[number]).save(paths[-1])
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    try:
        driver = browser.driver
        driver.get("http://{}:{}/".format(*server.server_address[:2]))
        driver.find_element("css selector", "input").send_keys("\n".join(map(str, [*paths, broken])))
        answers = "[...document.querySelectorAll('li.done, li.failed')]"
        shown = f"return {answers}.map(li => [li.querySelector('img').alt, li.innerText])"
        until = time.monotonic() + 60
        while len(found := dict(browser.script(shown))) < 3 and time.monotonic() < until:
            time.sleep(0.1)
        for path, label in zip(paths, expected[:, 0], strict=False):
            name = server.accelerator.manifest.class_names[label]
            assert found[path.name].startswith(f"{name} ("), found
        assert "is no image of a known format" in found["broken.png"]
        assert [message for message in browser.messages() if "400" not in message] == []
    finally:
        browser.driver.quit()
    assert server.served == 2


def test_what_is_no_picture_is_an_answer_not_an_end(server, digits, tmp_path):
    images, expected = digits
    assert post(server, b"")[0] == 400
    assert post(server, b"GIF89a" + bytes(20))[0] == 400
    assert post(server, b"x", "/other")[0] == 404
    status, answer = post(server, b"", **{"Content-Length": str(MOST_BYTES + 1)})
    assert (status, answer) == (413, {"error": "a picture must have at most 32 MiB"})
    path = tmp_path / "p.png"
    Image.fromarray(np.ascontiguousarray(images[5])).save(path)
    status, answer = post(server, path.read_bytes())
    assert status == 200
    assert answer["classes"] == expected[5].tolist()
