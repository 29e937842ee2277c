"""`python -m midstream.compat script.py`: scripts that start the tool by themselves, each as a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

SHUTS_DOWN = """
from mitmproxy import ctx

class Once:
    def running(self):
        print("port", ctx.master.addons.get("proxyserver").listen_addrs()[0][1] > 0, flush=True)
        ctx.master.shutdown()

addons = [Once()]
"""
# The common form: options, a master, addons, run.
EMBEDS = """
import asyncio
import threading
import urllib.request
from mitmproxy import http, options
from mitmproxy.tools import dump

class Answer:
    def __init__(self, master):
        self.master = master
    def running(self):
        port = self.master.addons.get("proxyserver").listen_addrs()[0][1]
        threading.Thread(target=self.ask, args=[port]).start()
    def ask(self, port):
        proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{port}"})
        print(urllib.request.build_opener(proxy).open("http://example.invalid/").read().decode(), flush=True)
        self.master.shutdown()
    def request(self, flow: http.HTTPFlow) -> None:
        flow.response = http.Response.make(200, f"answered {flow.request.host}")

async def start(host, port):
    opts = options.Options(listen_host=host, listen_port=port)
    master = dump.DumpMaster(opts, with_termlog=False, with_dumper=False)
    master.addons.add(Answer(master))
    await master.run()
    return master

asyncio.run(start("127.0.0.1", 0))
"""


def run(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "midstream.compat", *arguments],
        capture_output=True, text=True, timeout=60, cwd=folder, check=False,
        env={"MIDSTREAM_CONFDIR": str(folder / "conf"), "PYTHONWARNINGS": "error", "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == status, done
    return done


def write(folder: Path, text: str, name: str = "script.py") -> str:
    (folder / name).write_text(text)
    return name


def test_a_script_is_main_and_has_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "VALUE = 7\n", "neighbour.py")
    text = (
        "import sys, neighbour\nfrom mitmproxy import http\nprint(__name__, sys.argv, neighbour.VALUE, http.Response)"
    )
    write(tmp_path / "sub", text)
    done = run(tmp_path, "sub/script.py", "-x", "y")
    assert done.stdout == "__main__ ['sub/script.py', '-x', 'y'] 7 <class 'midstream.flows.response.Response'>\n"


def test_a_script_starts_the_program(tmp_path: Path) -> None:
    main = 'if __name__ == "__main__":\n    import sys\n    from mitmproxy.tools.main import mitmdump\n'
    main += '    sys.exit(mitmdump(["-q", "--listen-host", "127.0.0.1", "-p", "0", "-s", __file__, *sys.argv[1:]]))\n'
    done = run(tmp_path, write(tmp_path, SHUTS_DOWN + main), "--set", "flow_detail=0")
    assert (done.stdout, done.stderr) == ("port True\n", "")


def test_a_script_starts_the_program_with_the_arguments_of_the_process(tmp_path: Path) -> None:
    addon = write(tmp_path, SHUTS_DOWN, "addon.py")
    script = write(tmp_path, "from mitmproxy.tools.main import mitmdump\nprint('status', mitmdump())\n")
    done = run(tmp_path, script, "-q", "--listen-host", "127.0.0.1", "-p", "0", "-s", addon)
    assert done.stdout == "port True\nstatus 0\n"


def test_a_script_runs_a_master_of_its_own_class(tmp_path: Path) -> None:
    text = SHUTS_DOWN + (
        "from mitmproxy.tools import cmdline, dump, main\n"
        "class Mine(dump.DumpMaster):\n"
        "    def __init__(self, options):\n"
        "        super().__init__(options)\n"
        "        self.addons.add(Once())\n"
        "arguments = ['--listen-host', '127.0.0.1', '-p', '0', '-q', '~q']\n"
        "master = main.run(Mine, cmdline.mitmdump, arguments, lambda given: {'flow_detail': len(given.filter_args)})\n"
        "print(type(master).__name__, master.options.flow_detail)\n"
    )
    done = run(tmp_path, write(tmp_path, text))
    assert done.stdout.splitlines()[-2:] == ["port True", "Mine 1"]


def test_a_script_embeds_the_master(tmp_path: Path) -> None:
    done = run(tmp_path, write(tmp_path, EMBEDS))
    assert (done.stdout, done.stderr) == ("answered example.invalid\n", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from mitmproxy.tools.main import mitmweb\nmitmweb([])", "script.py: midstream has no web interface: "),
        (
            "import sys\nfrom mitmproxy.tools.main import mitmdump\nsys.exit(mitmdump(['--nope']))",
            "middump: no flag is",
        ),
        ("raise SystemExit('by itself')", "by itself"),
        ("import mitmproxy.connections", "it is now mitmproxy.connection"),
    ],
)
def test_what_goes_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    assert said in run(tmp_path, write(tmp_path, text), status=1).stderr


def test_how_it_is_called(tmp_path: Path) -> None:
    assert "usage: " in run(tmp_path, status=2).stderr
    assert "usage: " in run(tmp_path, "--help").stdout
    assert run(tmp_path, "nope.py", status=2).stderr == "midstream.compat: nope.py does not exist\n"
