"""What the benchmarks share: the origin, starting peers on a pinned CPU, CPU and memory of a process tree."""

from __future__ import annotations

import ctypes
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
PEER_SHIFT = int(os.environ.get("BENCH_PEER_SHIFT", 0))  # added to every peer's port, for two benches at once
BASE_PORT = int(os.environ.get("BENCH_ORIGIN_PORT", 28080))  # the first of the origin's four ports
PORTS = {name: BASE_PORT + i for i, name in enumerate(("http", "https", "ws", "wss"))}

NGINX = """
daemon off; worker_processes 1; pid {d}/nginx.pid; error_log {d}/nginx.err;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 600;
  client_body_temp_path {d}/t1; proxy_temp_path {d}/t2; fastcgi_temp_path {d}/t3; uwsgi_temp_path {d}/t4;
  scgi_temp_path {d}/t5;
  default_type application/json; http2_max_requests 1000000000; http2_max_concurrent_streams 512;
  add_header Cache-Control "no-store, max-age=0"; add_header Vary "Accept-Encoding, Origin";
  add_header X-Request-Id "5f2b6c1e-9d1f-4f0a-8a35-0c6d8b9c1d2e"; add_header X-Content-Type-Options nosniff;
  open_file_cache max=64;
  server {{
    listen 0.0.0.0:{http} backlog=4096; listen 0.0.0.0:{https} ssl http2 backlog=4096;
    server_name _; root {d}/www;
    ssl_certificate {d}/origin.pem; ssl_certificate_key {d}/origin.key; ssl_protocols TLSv1.2 TLSv1.3;
  }}
}}
"""


def openssl(command: str, **files: Path) -> None:
    """Run it, with a flag for each file: openssl("req -new", out=path)."""
    flags = [part for flag, path in files.items() for part in (f"-{flag}", str(path))]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["openssl", *shlex.split(command), *flags], check=True, **quiet)


def make_ca(cert: Path, key: Path, name: str) -> None:
    usage = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign"
    openssl(f"req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/O={name}/CN={name}' {usage}", keyout=key, out=cert)


def make_origin_certificate(folder: Path) -> None:
    """ca.pem, ca.key, origin.pem and origin.key in that folder, unless they are there."""
    ca, ca_key, key, request = (folder / name for name in ("ca.pem", "ca.key", "origin.key", "origin.csr"))
    if key.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    make_ca(ca, ca_key, "bench origin CA")
    names = folder / "ext.cnf"
    names.write_text("subjectAltName=DNS:*.bench.test,DNS:localhost,IP:127.0.0.1\n")
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256"
    openssl(f"req {curve} -nodes -subj /CN=a.bench.test", keyout=key, out=request)
    files = {"in": request, "CA": ca, "CAkey": ca_key, "extfile": names, "out": folder / "origin.pem"}
    openssl("x509 -req -CAcreateserial -days 800", **files)


LIBC = ctypes.CDLL(None)


def pinned(cpu: int):
    """A preexec_fn: run on that CPU, and end when this process ends."""

    def setup():
        os.sched_setaffinity(0, {cpu})
        LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG

    return setup


def spawn(argv: list[str], cpu: int, log: Path, **kw) -> subprocess.Popen:
    return subprocess.Popen(
        argv,
        stdout=subprocess.DEVNULL,
        stderr=log.open("wb"),
        stdin=subprocess.DEVNULL,
        preexec_fn=pinned(cpu),
        start_new_session=True,
        **kw,
    )


def stop(proc: subprocess.Popen) -> None:
    """End a process that spawn() started, with its own process group."""
    if proc.poll() is None:
        os.killpg(proc.pid, signal.SIGTERM)
        try:
            proc.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(proc.pid, signal.SIGKILL)
            proc.wait(5)


def require_free(port: int) -> None:
    """Nobody else may answer there, or the wrong program would be measured."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return
    raise RuntimeError(f"port {port} is taken; set BENCH_ORIGIN_PORT or BENCH_PEER_SHIFT")


def wait_listening(port: int, proc: subprocess.Popen | None = None, timeout: float = 30) -> float:
    """Seconds until something accepts on 127.0.0.1:port."""
    start = time.perf_counter()
    while time.perf_counter() - start < timeout:
        if proc and proc.poll() is not None:
            raise RuntimeError(f"exited with {proc.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return time.perf_counter() - start
        except OSError:
            time.sleep(0.002)
    raise RuntimeError("does not listen")


class Origin:
    """nginx with 1 KB, 100 KB, 1 MB and 100 MB bodies over h1 and h2, and a WebSocket echo server."""

    def __init__(self, work: Path, cpu: int):
        self.dir = d = work / "origin"
        (d / "www").mkdir(parents=True, exist_ok=True)
        self.ca = d / "ca.pem"
        make_origin_certificate(d)
        for name, size in (("1k", 1024), ("100k", 100 * 1024), ("1m", 1024 * 1024)):
            rows, i = "", 0
            while len(rows) < size - 20:
                rows, i = rows + f'{{"id":{i},"name":"item {i}","ok":true}},', i + 1
            (d / "www" / name).write_text(('{"rows":[' + rows)[: size - 6].ljust(size - 6) + '"]}'.ljust(6))
        big = d / "www" / "100m"
        if not big.exists():
            big.write_bytes(os.urandom(1 << 20) * 100)
        for tmp in ("t1", "t2", "t3", "t4", "t5"):
            (d / tmp).mkdir(exist_ok=True)
        conf = d / "nginx.conf"
        os.chmod(work, 0o755)
        conf.write_text(NGINX.format(d=d, **PORTS))
        nginx = ["nginx", "-c", conf, "-e", d / "nginx.err"]
        echo = [sys.executable, HERE / "ws_echo.py", PORTS["ws"], PORTS["wss"], d / "origin.pem", d / "origin.key"]
        self.procs: list[subprocess.Popen] = []
        port = BASE_PORT
        try:
            for port in PORTS.values():
                require_free(port)
            for argv, log in ((nginx, "nginx.log"), (echo, "ws.log")):
                self.procs.append(spawn([str(part) for part in argv], cpu, d / log))
            for name, port in PORTS.items():
                wait_listening(port, self.procs["ws" in name])
        except RuntimeError as exc:
            self.close()
            raise SystemExit(f"origin on port {port}: {exc}; see {d}/*.log, or set BENCH_ORIGIN_PORT")

    def close(self):
        for proc in self.procs:
            stop(proc)


def process_tree(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def cpu_seconds(pid: int) -> float:
    """user + system time of the process, its live descendants and its reaped children."""
    total = 0
    for p in process_tree(pid):
        try:
            fields = Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(f) for f in fields[11:15])
    return total / TICKS


def rss_mb(pid: int, key: str = "VmRSS") -> float:
    """Resident memory of the process tree; key "VmHWM" for its peak."""
    kb = 0
    for p in process_tree(pid):
        try:
            status = Path(f"/proc/{p}/status").read_text()
        except OSError:
            continue
        kb += next((int(line.split()[1]) for line in status.splitlines() if line.startswith(key)), 0)
    return kb / 1024


class Peers:
    """The peers of a TOML table (see peers.toml), with their placeholders filled in."""

    def __init__(self, table: Path, work: Path):
        self.table = {}
        for name, peer in tomllib.loads(table.read_text()).items():
            if base := self.table.get(peer.get("like")):
                extra = " " + peer.get("extra", "")
                commands = {k: v + extra for k, v in base.items() if k == "command"}
                peer = {**base, **commands, **peer}
            self.table[name] = {**peer}
        for peer in self.table.values():
            peer["port"] += PEER_SHIFT
        self.work = work
        self.ca_cert, self.ca_key = work / "proxy-ca.pem", work / "proxy-ca.key"
        if not self.ca_key.exists():
            make_ca(self.ca_cert, self.ca_key, "bench proxy CA")

    def fill(self, name: str, template: str, **extra) -> list[str]:
        peer = self.table[name]
        state = self.work / "state" / peer.get("state", name)
        state.mkdir(parents=True, exist_ok=True)
        values = {
            "port": peer["port"],
            "state": state,
            "here": HERE,
            "ca_cert": self.ca_cert,
            "ca_key": self.ca_key,
            "origin_ca": self.work / "origin" / "ca.pem",
            "origin_http": f"127.0.0.1:{PORTS['http']}",
            "origin_https": f"127.0.0.1:{PORTS['https']}",
            "https_port": PORTS["https"],
            **extra,
        }
        for conf in peer.get("files", []):  # templates with @name@ placeholders, copied into the state folder
            body = (HERE / conf).read_text()
            for k, v in values.items():
                body = body.replace(f"@{k}@", str(v))
            (state / Path(conf).name).write_text(body)
        for prepare in peer.get("prepare", []):
            subprocess.run(
                prepare.format(**values), shell=True, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        return [part.format(**values) for part in shlex.split(template)]

    def installed(self, name: str) -> bool:
        return name in self.table and shutil.which(shlex.split(self.table[name]["command"])[0]) is not None

    def env(self, name: str) -> dict:
        return {**os.environ, **self.table[name].get("env", {})}

    def start(self, name: str, cpu: int, template: str | None = None, **extra) -> subprocess.Popen:
        require_free(self.table[name]["port"])
        argv = self.fill(name, template or self.table[name]["command"], **extra)
        log = self.work / f"{name}.log"
        proc = spawn(argv, cpu, log, env=self.env(name))
        try:
            proc.startup_s = wait_listening(self.table[name]["port"], proc)
        except RuntimeError as exc:
            stop(proc)
            raise RuntimeError(f"{name}: {exc}: {log.read_text(errors='replace')[-400:]}") from None
        return proc


def run_load(spec: dict, cpu: int) -> dict:
    limit = (spec.get("seconds", 5) + 120) if not spec.get("count") else 900
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py"), json.dumps(spec)],
        capture_output=True,
        preexec_fn=pinned(cpu),
        timeout=limit,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-400:])
    return json.loads(done.stdout)
