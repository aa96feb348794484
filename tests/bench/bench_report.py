#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Time and memory of reports on a large events.db, and what they do to the writer.

    tests/bench/bench_report.py BUILD [HITS [ROWS]]

Makes a folder with settings, policy and an events.db of HITS rows of hits (default 1,000,000) and
ROWS rows of queries by minute (default 5,000,000), all within the last seven days before NOW, then
runs the command as people do. CPU time is the child's (getrusage), so that it holds
on a busy machine. The writer is a thread that commits a row every 20 ms while reports
run: its longest commit is told with and without them.
"""
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

N_ENDPOINTS, N_NAMES, N_LISTS = 5000, 100_000, 12
DAY = 86400


def fill(path, n_hits, n_rows, end):
    db = sqlite3.connect(path)
    last = end // 60
    first = last - 7 * 1440
    db.executescript("""
        PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;
        DELETE FROM hit; DELETE FROM traffic; DELETE FROM endpoint; DELETE FROM name;""")
    db.create_function("rnd", 2, lambda i, salt: (i * 2654435761 + salt * 40503) >> 7 & 0x7fffffff,
                       deterministic=True)
    db.execute("WITH RECURSIVE s(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM s WHERE v < ?3)"
               " INSERT INTO endpoint SELECT v, '10.' || (v >> 16) || '.' || (v >> 8 & 255) || '.'"
               " || (v & 255), ?1, ?2 FROM s", (first * 60000, last // 60, N_ENDPOINTS))
    db.execute("WITH RECURSIVE s(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM s WHERE v < ?2)"
               " INSERT INTO name SELECT v, 'host' || v || '.example', 'example.host' || v, ?1"
               " FROM s", (last // 60, N_NAMES))
    db.execute("INSERT OR REPLACE INTO list"
               " WITH RECURSIVE s(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM s WHERE v < ?)"
               " SELECT v, 'list-' || v FROM s", (N_LISTS,))
    # In the order of time, as the resolver writes them; few endpoints and names have most of them.
    db.execute("""WITH RECURSIVE s(v) AS (SELECT 0 UNION ALL SELECT v + 1 FROM s WHERE v < ?1 - 1)
        INSERT INTO hit SELECT v + 1, ?2 + v * ?3 / ?1,
         1 + rnd(v, 1) % (1 + rnd(v, 2) % ?4), 1 + rnd(v, 3) % (1 + rnd(v, 4) % ?5),
         1 + rnd(v, 3) % (1 + rnd(v, 4) % ?5), 1, iif(rnd(v, 5) % 20, 1 + rnd(v, 6) % ?6, 0),
         iif(rnd(v, 7) % 5, 5, 1), 5, iif(rnd(v, 5) % 20, 1, 4), rnd(v, 7) % 5 = 0, 2, 1, 1, 2,
         rnd(v, 8), -32768 FROM s""", (n_hits, first, last - first, N_ENDPOINTS, N_NAMES, N_LISTS))
    db.execute("INSERT INTO hit_sum SELECT id, minute * 60000, minute * 60000 + 30000,"
               " 1 + id % 3 FROM hit")
    db.execute("""WITH RECURSIVE s(v) AS (SELECT 0 UNION ALL SELECT v + 1 FROM s WHERE v < ?1 - 1)
        INSERT OR IGNORE INTO traffic SELECT ?2 + v * ?3 / ?1, 1 + v % ?4, 1 + v % ?5, 0, 2, 3, 1, 0,
        0 FROM s""", (n_rows, first, last - first, N_ENDPOINTS, N_NAMES))
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def most_memory(pid):
    """VmHWM in MiB: getrusage would tell that of this process, from before exec."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        return int(text.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return 0


def measure(folder, label, command, *args):
    """CPU seconds, seconds and largest memory of one run."""
    begun = time.monotonic()
    child = subprocess.Popen([command, *args], cwd=folder, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL,
                             env={**os.environ, "SEKISHO_CONF": f"{folder}/sekisho.yaml"})
    most, pid = 0, 0
    while pid == 0:
        most = max(most, most_memory(child.pid))
        time.sleep(0.003)
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
    wall = time.monotonic() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{label}: status {child.returncode}")
    print(f"{label:34}  {usage.ru_utime + usage.ru_stime:7.2f} s CPU  {wall:7.2f} s"
          f"  {most:7.1f} MiB", flush=True)


class Writer(threading.Thread):
    """Commits as the recorder does: into the write-ahead log, checkpoints by itself."""
    def __init__(self, path):
        super().__init__()
        self.path, self.end, self.times = path, threading.Event(), []

    def run(self):
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        db.execute("PRAGMA synchronous = NORMAL")
        i = 0
        while not self.end.wait(0.02):
            begun = time.monotonic()
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT OR REPLACE INTO state VALUES ('bench', ?)", (i,))
            db.execute("COMMIT")
            self.times.append(time.monotonic() - begun)
            i += 1
        db.execute("DELETE FROM state WHERE key = 'bench'")
        db.close()

    def stop(self):
        self.end.set()
        self.join()
        times = sorted(self.times)
        return times[len(times) // 2] * 1000, times[-1] * 1000, len(times)


def main():
    build = Path(sys.argv[1]).resolve()
    n_hits = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    n_rows = int(sys.argv[3]) if len(sys.argv) > 3 else 5_000_000
    command = build / "tools/sekisho"
    folder = Path(tempfile.mkdtemp(prefix="sek-bench-report-"))
    try:
        subprocess.run([build / "tests/cli/make_fixture", folder], check=True)
        path = folder / "events/events.db"
        fill(path, n_hits, n_rows, int(time.time()))
        print(f"{n_hits:,} hits, {n_rows:,} rows by minute: {path.stat().st_size >> 20} MiB")
        measure(folder, "hits --since 24h", command, "hits", "--since", "24h")
        measure(folder, "hits --since 24h --group endpoint", command, "hits", "--since", "24h",
                "--group", "endpoint")
        measure(folder, "hits --since 24h --group case", command, "hits", "--since", "24h",
                "--group", "case")
        week = ("report", "range", "--since", "7d", "-o", str(folder / "out"))
        for form in ("html", "markdown", "json"):
            measure(folder, f"report of the week, {form}", command, *week, "-f", form)
        measure(folder, "report daily, html", command, "report", "daily", "-f", "html", "-o",
                str(folder / "out"))
        for label, n in (("without a report", 0), ("while reports run", 3)):
            writer = Writer(path)
            writer.start()
            for _ in range(n):
                subprocess.run([command, *week, "-f", "html"], check=True, cwd=folder,
                               env={**os.environ, "SEKISHO_CONF": f"{folder}/sekisho.yaml"})
            time.sleep(0 if n else 5)
            median, worst, count = writer.stop()
            print(f"a commit {label:25}  median {median:.2f} ms, longest {worst:.1f} ms, {count}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
