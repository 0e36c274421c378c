"""The nodes, the load, the kills and the count of scripts/trial.sh."""

import asyncio
import contextlib
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

RATE = int(os.environ.get("RATE", 500))
SECONDS = max(int(os.environ.get("FOR_SECONDS", 20)), 10)
CONNECTIONS = 24
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
CLICK = re.compile(rb"trb_click=([0-9a-f-]{36})")

tributary, postgres = sys.argv[1], pathlib.Path(sys.argv[2])
places = [postgres / "psql", (postgres / "initdb").resolve().parent / "psql", shutil.which("psql")]
psql = next((place for place in places if place and os.access(place, os.X_OK)), None)
if psql is None:
    raise SystemExit("trial: psql is missing; scripts/install.sh installs it with PostgreSQL")


def free_ports(count):
    """Ports below those the system hands out by itself, whose cluster bus (10000 above) is free too."""
    found = []
    while len(found) < count:
        port = random.randrange(12_000, 22_000)
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10_000))
            found.append(port) if port not in found else None
    return found


class Process:
    """A server of ours; it is ended by its own id."""

    all = []

    def __init__(self, name, folder, arguments, **how):
        self.name, self.arguments, self.how = name, [str(a) for a in arguments], how
        self.log = folder / f"{name}.log"
        self.child = None
        Process.all.append(self)
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self.how
            )

    def kill(self, how=signal.SIGKILL):
        if self.child.poll() is None:
            self.child.send_signal(how)
        self.child.wait()

    def last_words(self):
        return self.log.read_text(errors="replace")[-2_000:]


def wait_until(what, ask, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            if ask():
                return
        time.sleep(0.1)
    for process in Process.all:
        if process.child.poll() is not None:
            print(f"{process.name} has ended:\n{process.last_words()}", file=sys.stderr)
    raise SystemExit(f"trial: waited too long for {what}")


def fetch(url, body=None, key=None):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return answer.status, answer.read().decode()


def metric(port, name):
    try:
        text = fetch(f"http://127.0.0.1:{port}/metrics")[1]
    except OSError:
        return 0
    return int(float(re.search(rf"^{name} (\S+)$", text, re.M)[1]))


class Load:
    """Visitors on three edges: the clicks that were answered, and what was not."""

    def __init__(self, ports):
        self.ports, self.clicks, self.refused, self.broken, self.slowest = ports, set(), 0, 0, []
        self.end = time.monotonic() + SECONDS

    async def visitor(self, number):
        port = self.ports[number % len(self.ports)]
        request = f"GET /r/trial?n={number} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: {BROWSER}\r\n\r\n".encode()
        pause = CONNECTIONS / RATE
        due = time.monotonic() + random.random() * pause
        connection = None
        while due < self.end:
            await asyncio.sleep(max(0, due - time.monotonic()))
            due = max(due + pause, time.monotonic() - 0.5)
            sent = False
            try:
                if connection is None:
                    connection = await asyncio.open_connection("127.0.0.1", port)
                reader, writer = connection
                began = time.monotonic()
                writer.write(request)
                sent = True
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                self.slowest.append(time.monotonic() - began)
                if head.startswith(b"HTTP/1.1 302"):
                    self.clicks.add(CLICK.search(head)[1].decode())
                else:
                    self.refused += 1
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                if connection is not None:
                    connection[1].close()
                connection = None
                # Only what was sent and not answered may be stored all the same.
                self.broken += sent
                await asyncio.sleep(0.1)

    async def run(self, also):
        await asyncio.gather(*(self.visitor(number) for number in range(CONNECTIONS)), also(self))


class Trial:
    def __init__(self, folder):
        self.folder = folder
        self.killed = []

    def note(self, what):
        self.killed.append(what)
        print(f"  {time.strftime('%H:%M:%S')}  {what}", flush=True)

    # The stores.

    def start_postgres(self):
        home = self.folder / "postgres"
        home.mkdir()
        how = {"cwd": home}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(home, owner.pw_uid, owner.pw_gid)
            self.folder.chmod(0o755)
            how |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        made = subprocess.run(
            [postgres / "initdb", "--pgdata", home / "data", "--username=postgres", "--auth=trust", "--encoding=UTF8",
             "--locale=C", "--no-sync"],
            capture_output=True, text=True, **how,
        )  # fmt: skip
        if made.returncode:
            raise SystemExit(made.stderr)
        [self.postgres_port] = free_ports(1)
        self.database = f"postgres://postgres@127.0.0.1:{self.postgres_port}/postgres"
        self.postgres = Process(
            "postgresql", self.folder,
            [postgres / "postgres", "-D", home / "data", "-k", home, "-p", self.postgres_port,
             "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"],
            **how,
        )  # fmt: skip
        wait_until("PostgreSQL", lambda: self.ask("SELECT 1") == ["1"])

    def ask(self, sql):
        asked = subprocess.run(
            [psql, "--no-psqlrc", "-qtA", "-c", sql, self.database], capture_output=True, text=True, timeout=60
        )
        if asked.returncode:
            raise OSError(asked.stderr)
        return asked.stdout.split()

    def start_redis(self):
        ports = free_ports(6)
        self.redis = {}
        for port in ports:
            home = self.folder / f"redis-{port}"
            home.mkdir()
            self.redis[port] = Process(
                f"redis-{port}", self.folder,
                ["redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", home, "--save", "", "--appendonly", "yes",
                 "--appendfsync", "everysec", "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"],
            )  # fmt: skip
        for port in ports:
            wait_until("Redis", lambda port=port: self.redis_says(port, "PING") == "PONG")
        made = subprocess.run(
            ["redis-cli", "--cluster", "create", *(f"127.0.0.1:{port}" for port in ports), "--cluster-replicas", "1",
             "--cluster-yes"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        if made.returncode:
            raise SystemExit(made.stdout)
        for port in ports:
            wait_until("the cluster", lambda port=port: "cluster_state:ok" in self.redis_says(port, "CLUSTER", "INFO"))
            wait_until("its replicas", lambda port=port: re.search(
                "master_link_status:up|connected_slaves:1", self.redis_says(port, "INFO", "replication")))  # fmt: skip
        self.redis_urls = ",".join(f"redis://127.0.0.1:{port}" for port in ports)

    def redis_says(self, port, *words):
        asked = subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, timeout=10)
        return asked.stdout.strip()

    def master(self):
        return next(port for port in self.redis if "role:master" in self.redis_says(port, "INFO", "replication"))

    # The nodes.

    def node(self, name, role, *flags):
        [port] = free_ports(1)
        process = Process(
            name, self.folder,
            [tributary, "--listen", f"127.0.0.1:{port}", "--database-url", self.database, "--data-dir", self.folder / name,
             "--redis-url", self.redis_urls, "--edge-rate-limit", "0", *flags, "serve", "--role", role],
            env={k: v for k, v in os.environ.items() if not k.startswith("TRIBUTARY_")},
        )  # fmt: skip
        process.port = port
        wait_until(name, lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200)
        return process

    def command(self, *arguments):
        return subprocess.run(
            [tributary, "--database-url", self.database, *arguments], capture_output=True, text=True, timeout=120
        )

    def start_nodes(self):
        self.web = self.node("web", "web")
        self.key = re.search(r"trb_\S+", self.command("key", "add", "--name", "trial", "--scope", "admin").stdout)[0]
        web = f"http://127.0.0.1:{self.web.port}/v1"
        program = {"name": "Trial", "currency": "EUR", "destination_hosts": ["shop.example"]}
        program = json.loads(fetch(f"{web}/programs", program, self.key)[1])
        link = {"program": program["id"], "code": "trial", "url": "https://shop.example/"}
        fetch(f"{web}/links", link, self.key)
        self.edges = [self.node(f"edge-{n}", "edge", "--spool", "redis") for n in (1, 2, 3)]
        self.workers = [self.node(f"worker-{n}", "worker") for n in (1, 2)]

    # What happens.

    async def happen(self, load):
        began = time.monotonic()

        async def at(share):
            await asyncio.sleep(max(0, began + share * SECONDS - time.monotonic()))

        async def later(act):
            await asyncio.get_running_loop().run_in_executor(None, act)

        orders = asyncio.create_task(self.order(load, began + 0.95 * SECONDS))
        await at(0.15)
        await later(self.edges[1].kill)
        self.note("edge-2 killed")
        await at(0.3)
        self.edges[1].start()
        self.note("edge-2 started again")
        await at(0.35)
        await later(self.workers[0].kill)
        self.note("worker-1 killed, for good")
        await at(0.45)
        master = await asyncio.get_running_loop().run_in_executor(None, self.master)
        await later(self.redis[master].kill)
        self.note(f"redis-{master} killed, a master of the cluster")
        await at(0.7)
        self.redis[master].start()
        self.note(f"redis-{master} started again")
        await at(0.75)
        await later(lambda: self.postgres.kill(signal.SIGQUIT))
        self.note("postgresql shut down at once")
        await at(0.85)
        self.postgres.start()
        self.note("postgresql started again")
        await orders

    async def order(self, load, end):
        """Orders for the newest clicks, on the web node; those that were answered are remembered."""
        self.orders = set()
        number = 0
        while time.monotonic() < end:
            await asyncio.sleep(0.25)
            click = next(iter(load.clicks), None)
            if click is None:
                continue
            number += 1
            body = {"external_id": f"T-{number}", "placed_at": "2026-01-01T00:00:00Z", "currency": "EUR", "total": "10.00",
                    "click_id": click}  # fmt: skip
            url = f"http://127.0.0.1:{self.web.port}/v1/orders"
            with contextlib.suppress(OSError):
                sent = asyncio.get_running_loop().run_in_executor(None, fetch, url, body, self.key)
                if (await sent)[0] in (200, 201):
                    self.orders.add(body["external_id"])

    def run(self):
        self.start_postgres()
        self.start_redis()
        self.start_nodes()
        print(f"{RATE} clicks a second for {SECONDS} s on three edges", flush=True)
        load = Load([edge.port for edge in self.edges])
        asyncio.run(load.run(self.happen))
        began, stored = time.monotonic(), set()
        while time.monotonic() - began < 120:
            with contextlib.suppress(OSError):
                stored = set(self.ask("SELECT id FROM touches"))
                if load.clicks <= stored:
                    break
            time.sleep(0.5)
        return self.judge(load, stored, time.monotonic() - began)

    def judge(self, load, stored, drained):
        missing, beside = len(load.clicks - stored), len(stored - load.clicks)
        orders = set(self.ask("SELECT external_id FROM orders"))
        doctor = self.command("doctor")
        waits = sorted(load.slowest)
        share = lambda of: 1_000 * waits[min(int(of * len(waits)), len(waits) - 1)]  # noqa: E731
        print(f"\n{'':24}{'answered':>10}{'stored':>10}{'missing':>10}")
        print(f"{'clicks':24}{len(load.clicks):>10}{len(stored):>10}{missing:>10}")
        print(f"{'orders':24}{len(self.orders):>10}{len(orders):>10}{len(self.orders - orders):>10}\n")
        print(f"{'':24}{'in Redis':>10}{'on disk':>10}   since its last start")
        for edge in self.edges:
            counts = [metric(edge.port, f"tributary_{name}hits_appended_total") for name in ("redis_", "")]
            print(f"{edge.name:24}{counts[0]:>10}{counts[1]:>10}")
        print(f"\ncut off in the middle     {load.broken}, of which {beside} stored all the same")
        print(f"answers but redirects     {load.refused}")
        print(f"redirect, ms              p50 {share(0.5):.1f}, p99 {share(0.99):.1f}, slowest {share(1):.0f}")
        print(f"backlog drained           {drained:.1f} s after the load")
        print(f"doctor                    {'finds nothing' if doctor.returncode == 0 else doctor.stdout}")
        good = [missing == 0, beside <= load.broken, self.orders <= orders, load.refused == 0, doctor.returncode == 0]
        good += [len(load.clicks) > RATE * SECONDS // 4, len(self.orders) > 5]
        print("\nThe counts agree." if all(good) else "\nTHE COUNTS DIFFER.")
        return 0 if all(good) else 1


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tributary-trial."))
    code = 1
    try:
        code = Trial(folder).run()
    finally:
        for process in reversed(Process.all):
            # PostgreSQL takes its own children along when it is asked to.
            process.kill(signal.SIGQUIT if process.name == "postgresql" else signal.SIGKILL)
        if code and os.environ.get("KEEP"):
            print(f"What the nodes said is in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


sys.exit(main())
