"""Downloads: from a server of our own that behaves well, or in every way badly."""

import contextlib
import errno
import gzip
import hashlib
import http.server
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from minigrad import atomic, data
from minigrad.data import DownloadError, fashion_mnist, mnist, tiny_shakespeare
from minigrad.data.download import SETS, Remote, _opener, fetch

BODY = bytes(range(256)) * 1000
SIZE, SHA256 = len(BODY), hashlib.sha256(BODY).hexdigest()
PAGE = b"<!DOCTYPE html><title>Please log in</title>"
NAME = "file.gz"


# --- A server -------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /name as the method `name` says, and counts how often it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802
        self.server.asked.append(self.path)
        with contextlib.suppress(ConnectionError):  # the other side may leave
            getattr(self, self.path.rpartition("/")[2].split(".")[0])()

    def log_message(self, *args):
        pass

    def answer(self, code=200, body=b"", announced=None, **headers):
        self.send_response(code)
        length = len(body) if announced is None else announced
        if announced is not False:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def good(self):
        self.answer(body=BODY)

    def good_but_of_unknown_length(self):
        self.answer(body=BODY, announced=False)

    def good_in_chunks(self):
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:999], BODY[999:]))
        self.answer(body=chunks + b"0\r\n\r\n", announced=False, Transfer_Encoding="chunked")

    def truncated(self):
        self.answer(body=BODY[:-1000], announced=SIZE)

    def truncated_and_of_unknown_length(self):
        self.answer(body=BODY[:-1000], announced=False)

    def truncated_in_a_chunk(self):
        self.answer(body=b"ff\r\nabc", announced=False, Transfer_Encoding="chunked")

    def short(self):
        self.answer(body=BODY[:-1])

    def long(self):
        self.answer(body=BODY + b"!")

    def long_and_of_unknown_length(self):
        self.answer(body=BODY + bytes(2**20), announced=False)

    def empty(self):
        self.answer()

    def wrong_byte(self):
        self.answer(body=BODY[:-1] + b"\0")

    def page(self):
        self.answer(body=PAGE, Content_Type="text/html; charset=utf-8")

    def page_of_unknown_length(self):
        self.answer(body=PAGE, announced=False, Content_Type="text/html")

    def missing(self):
        self.answer(404, PAGE)

    def broken(self):
        self.answer(500, PAGE)

    def busy(self):
        self.answer(429, PAGE)

    def stalled(self):
        self.answer(body=BODY[:-1000], announced=SIZE)
        self.server.go_on.wait(60)

    def silent(self):
        self.server.go_on.wait(10)

    def reset(self):
        self.answer(body=BODY[:5000], announced=SIZE)
        linger = struct.pack("ii", 1, 0)  # so that closing sends a reset
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def hung_up(self):
        self.close_connection = True

    def gibberish(self):
        self.wfile.write(b"220 this is no web server\r\n")
        self.close_connection = True

    def fickle(self):
        """Fails twice, then it is well again."""
        getattr(self, ["broken", "truncated", "good"][len(self.server.asked) - 1])()

    def together(self):
        """Waits until two have asked, so that both are under way at once."""
        self.server.both.wait(5)
        self.answer(body=BODY)

    def moved(self):
        self.answer(302, Location="/somewhere/good")

    def moved_in_a_circle(self):
        self.answer(302, Location="moved_in_a_circle")

    def moved_to_a_file(self):
        self.answer(302, Location="file:///etc/hosts")

    def moved_to_ftp(self):
        self.answer(302, Location="ftp://127.0.0.1/good")


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.go_on = [], threading.Event()
    server.both = threading.Barrier(2)
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def own_folders(request, tmp_path, monkeypatch):
    """No test finds, or writes, what is in the user's folders."""
    if "data" not in request.keywords:
        monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


def get(server, path, target, **options):
    quick = {"size": SIZE, "sha256": SHA256, "timeout": 5, "pause": 0, "progress": False}
    return fetch(f"{server.address}/{path}", target, **{**quick, **options})


def files_in(folder):
    return sorted(path.name for path in Path(folder).rglob("*") if not path.is_dir())


# --- Good files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["good", "good_but_of_unknown_length", "good_in_chunks", "moved", "fickle"]
)
def test_a_good_file_gets_its_name(server, tmp_path, path):
    target = tmp_path / "some" / "folder" / NAME
    assert get(server, path, target) == target
    assert target.read_bytes() == BODY and files_in(tmp_path) == [NAME]


def test_a_file_of_unknown_length_and_hash_is_taken_as_it_comes(server, tmp_path):
    target = get(server, "page", tmp_path / NAME, size=None, sha256=None)
    assert target.read_bytes() == PAGE


def test_the_target_may_be_text(server, tmp_path):
    assert get(server, "good", str(tmp_path / NAME)) == tmp_path / NAME


def test_a_good_file_that_is_there_is_left_alone_without_asking(server, tmp_path):
    target = get(server, "good", tmp_path / NAME)
    before = target.stat()
    assert get(server, "missing", target) == target
    assert target.stat() == before and server.asked == ["/good"]


@pytest.mark.parametrize(("content", "came"), [(b"mine", "4"), (BODY[:-1] + b"\0", "[0-9a-f]{64}")])
def test_another_file_that_is_there_is_left_alone_and_named(server, tmp_path, content, came):
    (tmp_path / NAME).write_bytes(content)
    complaint = f"{NAME} is there already and differs from .* Received: {came}. Move it away"
    with pytest.raises(FileExistsError, match=complaint):
        get(server, "good", tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == content and server.asked == []


def test_two_downloads_at_once_do_not_disturb_each_other(server, tmp_path):
    errors = []

    def one():
        try:
            get(server, "together", tmp_path / NAME)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert errors == [] and server.asked == ["/together"] * 2
    assert (tmp_path / NAME).read_bytes() == BODY and files_in(tmp_path) == [NAME]


def test_the_bar_shows_name_and_progress(server, tmp_path, capsys):
    get(server, "good", tmp_path / NAME, progress=True)
    out, err = capsys.readouterr()
    assert NAME in out and "256k/256k" in out and err == ""


def test_no_bar_is_drawn_unless_wanted(server, tmp_path, capsys):
    get(server, "good", tmp_path / NAME)
    assert capsys.readouterr() == ("", "")


def test_a_proxy_of_the_environment_is_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.address)
    target = fetch("http://data.example/good", tmp_path / NAME, SIZE, SHA256, progress=False)
    assert target.read_bytes() == BODY and server.asked == ["http://data.example/good"]


# --- Bad files, bad servers -----------------------------------------------------------------------

LENGTH = f"{SIZE:,} bytes expected. Received: "
ENDED = f"the transfer ended after {SIZE - 1000:,} of {SIZE:,} bytes"
BAD = {  # path: (complaint, how often the server is asked)
    "truncated": (ENDED, 3),
    "truncated_and_of_unknown_length": (ENDED, 3),
    "truncated_in_a_chunk": ("IncompleteRead", 3),
    "short": (LENGTH + f"{SIZE - 1:,} of text/plain", 1),
    "long": (LENGTH + f"{SIZE + 1:,} of text/plain", 1),
    "long_and_of_unknown_length": (LENGTH + "more", 1),
    "empty": (LENGTH + "0 of text/plain", 1),
    "wrong_byte": (f"SHA-256 {SHA256} expected. Received: [0-9a-f]{{64}}", 1),
    "page": (LENGTH + f"{len(PAGE)} of text/html", 1),
    "page_of_unknown_length": (f"the transfer ended after {len(PAGE)} of {SIZE:,} bytes", 3),
    "missing": ("the server answers 404 Not Found", 1),
    "broken": ("the server answers 500 Internal Server Error", 3),
    "busy": ("the server answers 429 Too Many Requests", 3),
    "stalled": ("timed out", 3),
    "silent": ("timed out", 3),
    "reset": ("reset|forcibly closed|the transfer ended after", 3),
    "hung_up": ("closed connection without response|forcibly closed", 3),
    "gibberish": ("220 this is no web server", 3),
    "moved_in_a_circle": ("the server answers 302 .*infinite loop", None),
    "moved_to_a_file": ("the server answers 302 .*'file:///etc/hosts' is not allowed", 1),
    "moved_to_ftp": ("it redirects to ftp://127.0.0.1/good, which is not https or http", 1),
}


@pytest.mark.parametrize(("path", "complaint", "asked"), [(p, *BAD[p]) for p in BAD], ids=BAD)
def test_a_bad_download_is_explained_and_leaves_nothing(server, tmp_path, path, complaint, asked):
    folder = tmp_path / "folder"
    with pytest.raises(DownloadError) as raised:
        get(server, path, folder / NAME, timeout=0.05 if path in ("stalled", "silent") else 5)
    message, address = str(raised.value), f"{server.address}/{path}"
    assert re.search(f"^{re.escape(address)} was not downloaded: .*({complaint})", message)
    assert message.endswith(
        f"Nothing was saved. By hand: put the file {address} into the folder {folder} "
        f"under the name {NAME}"
    )
    assert files_in(tmp_path) == []
    assert asked in (None, len(server.asked))


def test_attempts_are_as_many_and_as_far_apart_as_asked(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with pytest.raises(DownloadError, match="500"):
        get(server, "broken", tmp_path / NAME, attempts=4, pause=7)
    assert len(server.asked) == 4 and pauses == [7, 7, 7]


def test_a_server_that_is_not_there_is_named(server, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=f"http://127.0.0.1:{port}/good was not.*refused"):
        fetch(f"http://127.0.0.1:{port}/good", tmp_path / NAME, pause=0, progress=False)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    "address",
    ["", "good", "ftp://a.example/x", "file:///etc/hosts", "data:,x", "http://", "//a.example/x"],
)
def test_an_address_of_another_kind_is_refused(tmp_path, address):
    with pytest.raises(ValueError, match=re.escape(f"http://... Received: {address!r}")):
        fetch(address, tmp_path / NAME)


def test_https_never_leads_to_http():
    class Body:
        def close(self):
            pass

    request = urllib.request.Request("https://a.example/x")
    handler = next(h for h in _opener().handlers if hasattr(h, "redirect_request"))
    with pytest.raises(DownloadError, match="it redirects to http://b.example/x, .* not https"):
        handler.redirect_request(request, Body(), 302, "", {}, "http://b.example/x")
    followed = handler.redirect_request(request, Body(), 302, "", {}, "https://b.example/x")
    assert followed.full_url == "https://b.example/x"


# --- Disks ----------------------------------------------------------------------------------------


def test_a_file_in_the_place_of_the_folder_is_named(server, tmp_path):
    (tmp_path / "folder").write_bytes(b"mine")
    with pytest.raises(OSError, match=rf"{NAME} cannot be written: .*By hand: .*folder'$"):
        get(server, "good", tmp_path / "folder" / NAME)
    assert (tmp_path / "folder").read_bytes() == b"mine" and files_in(tmp_path) == ["folder"]


def test_a_folder_in_the_place_of_the_file_is_named(server, tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(FileExistsError, match=f"{NAME} should be a file, and is something else"):
        get(server, "good", tmp_path / NAME)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_named(server, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match=f"{NAME} cannot be written: .*{tmp_path}"):
        get(server, "good", tmp_path / NAME)
    tmp_path.chmod(0o700)
    assert files_in(tmp_path) == []


class Failing:
    """A file that is written to as others, until it raises an error."""

    def __init__(self, file, error):
        self.file = file
        self.error = error
        self.pieces = 0

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, piece):
        self.pieces += 1
        if self.pieces > 2:
            raise self.error
        return self.file.write(piece)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_a_full_disk_or_ctrl_c_in_the_middle_leaves_nothing(server, tmp_path, monkeypatch, error):
    opened = open
    monkeypatch.setattr(
        atomic, "open", lambda *arguments: Failing(opened(*arguments), error), raising=False
    )
    with pytest.raises(type(error)) as raised:
        get(server, "good", tmp_path / NAME)
    assert files_in(tmp_path) == [] and server.asked == ["/good"]
    if isinstance(error, OSError):
        assert raised.value.errno == errno.ENOSPC
        assert f"{NAME} cannot be written: No space left on device. Nothing" in str(raised.value)


def test_a_replacement_that_fails_leaves_nothing(server, tmp_path, monkeypatch):
    def refuse(*names):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError, match="cannot be written: Permission denied"):
        get(server, "good", tmp_path / NAME)
    assert files_in(tmp_path) == []


def test_the_bytes_are_on_the_disk_before_they_get_the_name(server, tmp_path, monkeypatch):
    steps, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (steps.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *names: (steps.append("replace"), replace(*names)))
    get(server, "good", tmp_path / NAME)
    assert steps == ["fsync", "replace"]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_real_ctrl_c_leaves_nothing(server, tmp_path):
    code = (
        "import signal\n"
        "from minigrad.data.download import fetch\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # `pytest &` has it ignored
        f"fetch('{server.address}/stalled', {str(tmp_path / NAME)!r}, progress=False)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1], stderr=subprocess.PIPE
    )
    while not any(path.stat().st_size for path in tmp_path.iterdir()):  # until bytes have come
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in stderr and files_in(tmp_path) == []


# --- Data sets ------------------------------------------------------------------------------------


def idx(code, shape, values):
    return b"\0\0" + bytes([code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + values


def four_files(first):
    """{name: bytes} of a set with three images to train on and two to test; labels from `first`."""
    made = {}
    for part, n in (("train", 3), ("t10k", 2)):
        labels = bytes(range(first, first + n))
        made[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(8, (n, 2, 2), labels * 4))
        made[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(8, (n,), labels))
    return made


MADE = {
    "mnist": four_files(1),
    "fashion_mnist": four_files(5),
    "tiny_shakespeare": {"tinyshakespeare.txt": b"First Citizen:\nBefore we proceed\n"},
}


@pytest.fixture
def small_sets(server, monkeypatch):
    """Data sets of a few bytes, that the server has, in the place of the real ones."""
    served = {f"/{name}/{file}": MADE[name][file] for name in MADE for file in MADE[name]}
    monkeypatch.setattr(
        Handler, "do_GET", lambda self: (self.server.asked.append(self.path), self.serve())
    )
    monkeypatch.setattr(
        Handler, "serve", lambda self: self.answer(body=served[self.path]), raising=False
    )
    for name in MADE:
        remotes = []
        for file, body in MADE[name].items():
            digest = hashlib.sha256(body).hexdigest()
            remotes.append(Remote(file, f"{server.address}/{name}/{file}", len(body), digest))
        monkeypatch.setitem(SETS, name, tuple(remotes))
    return server


LOADERS = {
    "mnist": mnist.load_data,
    "fashion_mnist": fashion_mnist.load_data,
    "tiny_shakespeare": tiny_shakespeare.load_data,
}
EVERY_SET = pytest.mark.parametrize("name", LOADERS)


def labels_of(loaded):
    (_, y_train), (_, y_test) = loaded
    return y_train.tolist(), y_test.tolist()


@EVERY_SET
def test_a_set_is_downloaded_into_a_folder_of_its_name(small_sets, tmp_path, name):
    place = data.download(name, tmp_path / "new", progress=False)
    assert place == tmp_path / "new" / name
    assert files_in(tmp_path) == sorted(MADE[name])
    assert all((place / file).read_bytes() == body for file, body in MADE[name].items())


@EVERY_SET
def test_a_set_is_not_downloaded_twice(small_sets, tmp_path, name):
    data.download(name, tmp_path, progress=False)
    asked = list(small_sets.asked)
    data.download(name, tmp_path, progress=False)
    LOADERS[name](tmp_path, download=True)
    assert small_sets.asked == asked


@EVERY_SET
def test_nothing_is_downloaded_unasked(small_sets, tmp_path, name):
    with pytest.raises(FileNotFoundError) as raised:
        LOADERS[name](tmp_path)
    assert "not found in" in str(raised.value) and small_sets.asked == []
    assert f"download=True, or data.download({name!r})" in str(raised.value)


@EVERY_SET
@pytest.mark.parametrize("variable", ["MINIGRAD_DATA", "XDG_CACHE_HOME"])
def test_loaders_download_into_the_data_folder_or_the_cache(
    small_sets, tmp_path, monkeypatch, name, variable
):
    monkeypatch.setenv(variable, str(tmp_path / "here"))
    loaded = LOADERS[name](download=True)
    below = tmp_path / "here" / ("" if variable == "MINIGRAD_DATA" else "minigrad/data") / name
    assert files_in(below) == sorted(MADE[name])
    again = LOADERS[name]()
    if name == "tiny_shakespeare":
        assert loaded == again == MADE[name]["tinyshakespeare.txt"].decode()
    else:
        first = 1 if name == "mnist" else 5
        assert labels_of(loaded) == labels_of(again)
        assert labels_of(loaded) == ([first, first + 1, first + 2], [first, first + 1])


def test_after_a_failure_the_next_download_goes_on_where_it_stopped(
    small_sets, tmp_path, monkeypatch
):
    *good, last = SETS["mnist"]
    monkeypatch.setitem(SETS, "mnist", (*good, last._replace(sha256="0" * 64)))
    with pytest.raises(DownloadError, match=f"{last.address} was not downloaded: SHA-256 000"):
        data.download("mnist", tmp_path, progress=False)
    assert len(files_in(tmp_path)) == 3
    monkeypatch.setitem(SETS, "mnist", (*good, last))
    data.download("mnist", tmp_path, progress=False)
    assert len(files_in(tmp_path)) == 4 and len(small_sets.asked) == 5


@pytest.mark.parametrize("name", ["minst", "MNIST", "", None, "../mnist"])
def test_an_unknown_set_is_refused_before_any_work(small_sets, tmp_path, name):
    with pytest.raises(ValueError, match="unknown data set .* Known: fashion_mnist, mnist, tiny"):
        data.download(name, tmp_path / "new")
    assert list(tmp_path.iterdir()) == [] and small_sets.asked == []


# --- MNIST beside Fashion-MNIST -------------------------------------------------------------------


@pytest.mark.parametrize("given", [True, False])
def test_two_sets_with_files_of_the_same_names_are_not_confused(
    small_sets, tmp_path, monkeypatch, given
):
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    for name in ("fashion_mnist", "mnist"):
        data.download(name, progress=False)
    path = tmp_path if given else None
    assert labels_of(mnist.load_data(path))[1] == [1, 2]
    assert labels_of(fashion_mnist.load_data(path))[1] == [5, 6]


def put(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    for file, body in MADE[name].items():
        (folder / file).write_bytes(body)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("data", "mnist"),
        ("data/MNIST/raw", "mnist"),
        ("data/mnist_10k", "mnist"),
        ("fashion-mnist/data/mnist", "mnist"),
        ("data/fashion", "fashion_mnist"),
        ("data/Fashion-MNIST", "fashion_mnist"),
        ("data/FashionMNIST/raw", "fashion_mnist"),
        ("mnist/fashion", "fashion_mnist"),
    ],
)
def test_the_folder_says_which_set_it_is(tmp_path, folder, name):
    put(tmp_path / folder, "mnist")
    top = tmp_path / folder.split("/")[0]  # the searched folder's own name counts too
    LOADERS[name](top)
    other = fashion_mnist if name == "mnist" else mnist
    with pytest.raises(FileNotFoundError) as raised:
        other.load_data(top)
    assert f"By their names, {tmp_path / folder} belong to other data" in str(raised.value)


@pytest.mark.parametrize("folder", ["KMNIST/raw", "emnist", "qmnist-data"])
def test_further_sets_of_that_family_are_neither(tmp_path, folder):
    put(tmp_path / folder, "mnist")
    for loader in (mnist.load_data, fashion_mnist.load_data):
        with pytest.raises(FileNotFoundError, match="belong to other data"):
            loader(tmp_path)


def test_the_folders_above_the_searched_one_do_not_count(tmp_path):
    put(tmp_path / "fashion study" / "data", "mnist")
    assert labels_of(mnist.load_data(tmp_path / "fashion study" / "data"))[1] == [1, 2]


def test_the_four_files_may_lie_in_several_folders_of_one_set(tmp_path):
    put(tmp_path / "mnist_train", "mnist")
    put(tmp_path / "fashion", "fashion_mnist")
    for file in (tmp_path / "mnist_train").glob("t10k*"):
        (tmp_path / "mnist_10k").mkdir(exist_ok=True)
        file.rename(tmp_path / "mnist_10k" / file.name)
    assert labels_of(mnist.load_data(tmp_path)) == ([1, 2, 3], [1, 2])


def test_fashion_mnist_has_a_name_for_each_class():
    assert len(set(fashion_mnist.CLASS_NAMES)) == 10


# --- Tiny Shakespeare -----------------------------------------------------------------------------

TEXT = MADE["tiny_shakespeare"]["tinyshakespeare.txt"]


@pytest.mark.parametrize("file", ["tinyshakespeare.txt", "text/tiny_shakespeare.txt.gz"])
def test_tiny_shakespeare_is_found_gzipped_or_not(small_sets, tmp_path, file):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(gzip.compress(TEXT) if file.endswith(".gz") else TEXT)
    assert tiny_shakespeare.load_data(tmp_path) == TEXT.decode()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", f"copy of Tiny Shakespeare: {len(TEXT)} bytes expected. Received: 0"),
        (TEXT[:-1], f"{len(TEXT)} bytes expected. Received: {len(TEXT) - 1}"),
        (TEXT.replace(b"\n", b"\r\n"), f"Received: {len(TEXT) + 2}"),
        (TEXT.replace(b"F", b"f"), "SHA-256 .* expected. Received: [0-9a-f]{64}"),
        (gzip.compress(TEXT)[:-9], "gzipped copy of Tiny Shakespeare: Compressed file ended"),
        (gzip.compress(TEXT[:-1]), "gzipped copy of Tiny Shakespeare: .* bytes expected"),
    ],
    ids=["empty", "cut", "Windows's line ends", "a letter", "cut zip", "cut, then zipped"],
)
def test_another_text_is_refused(small_sets, tmp_path, content, complaint):
    (tmp_path / "tinyshakespeare.txt").write_bytes(content)
    with pytest.raises(ValueError, match=f"tinyshakespeare.txt is not an intact .*{complaint}"):
        tiny_shakespeare.load_data(tmp_path)


@pytest.mark.data
def test_the_real_tiny_shakespeare_is_read():
    if not os.environ.get("MINIGRAD_DATA"):
        pytest.skip("MINIGRAD_DATA is not set: it should name a folder with tinyshakespeare.txt")
    text = tiny_shakespeare.load_data()
    assert len(text) == 1_115_394 and len(set(text)) == 65
    assert text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n")


# --- The table ------------------------------------------------------------------------------------

REMOTES = [(name, remote) for name, remotes in SETS.items() for remote in remotes]


@pytest.mark.parametrize(("name", "remote"), REMOTES)
def test_every_address_is_https_and_every_file_has_length_and_hash(name, remote):
    parts = urllib.parse.urlsplit(remote.address)
    assert parts.scheme == "https" and parts.hostname and not parts.query
    assert remote.size > 0 and re.fullmatch("[0-9a-f]{64}", remote.sha256)


def test_no_two_files_have_one_address_or_one_hash():
    for values in zip(*((remote.address, remote.sha256) for _, remote in REMOTES)):
        assert len(set(values)) == len(REMOTES)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_names_of_the_files_are_those_that_are_read(name):
    assert [remote.name for remote in SETS[name]] == [f"{file}.gz" for file in mnist.FILES]
    assert all(remote.address.endswith(f"/{remote.name}") for remote in SETS[name])
