#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The HTML page of `sekisho report`: well formed, alone, accessible, and harmless whatever names,
reasons and machines are called. Where Chromium is installed it opens the page as well, with scripts
enabled: nothing may run, and nothing may be complained about.

    report_page.py       SEK_COMMAND and SEK_FIXTURE name the two programs
"""
import base64
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "br", "hr", "img", "input"}  # elements without an end tag
SVG_EMPTY = {"rect", "line", "polyline"}
HOSTILE = ["<script>document.title='RAN'</script>", "\"><img src=x onerror=\"document.title='RAN'\">",
           "'--></style></td></table><h1>out", "a\u202eb\u200f\x1b[2J\x07", "&lt;&#60;&copy;",
           "javascript:alert(1)", "http://evil.example/?\r\nSet-Cookie: a=b"]


class Page(HTMLParser):
    """Elements must nest; text is kept by the tags around it."""
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.elements, self.texts, self.faults = [], [], [], []
        self.feed(text)
        self.close()
        if self.stack:
            self.faults.append(f"not closed: {self.stack}")

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), list(self.stack)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"an attribute twice in <{tag}>")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), list(self.stack)))
        if tag not in SVG_EMPTY:
            self.faults.append(f"<{tag}/>")

    def handle_endtag(self, tag):
        if not self.stack or self.stack[-1] != tag:
            self.faults.append(f"</{tag}> within {self.stack}")
        else:
            self.stack.pop()

    def handle_data(self, data):
        self.texts.append(("/".join(self.stack), data))

    def text(self):
        return "\n".join(text for _, text in self.texts)

    def all(self, tag):
        return [attrs for name, attrs, _ in self.elements if name == tag]


class ReportPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="sek-report-page-"))
        subprocess.run([os.environ["SEK_FIXTURE"], cls.folder], check=True)
        subprocess.run([os.environ["SEK_FIXTURE"], "detections", cls.folder], check=True)
        cls.env = {**os.environ, "SEKISHO_CONF": f"{cls.folder}/sekisho.yaml", "LC_ALL": "C.UTF-8"}
        with sqlite3.connect(cls.folder / "events/events.db") as db:
            db.execute("UPDATE name SET text = ? WHERE text = 'shop.example'", (HOSTILE[0],))
            db.execute("UPDATE list SET name = ? WHERE name = 'watch'", (HOSTILE[1],))
            db.execute("UPDATE finding SET domain = ? WHERE domain = 'flux.example'", (HOSTILE[2],))
            db.execute("INSERT INTO domain VALUES (?, 1795168800123, ?, 'x', 1, NULL, NULL, 5, NULL, 0)",
                       (HOSTILE[3], HOSTILE[1]))
        for text in HOSTILE:
            cls.sekisho("triage", "set", "contained", "evil.example", "--note", text)
            cls.sekisho("block", f"b{len(text)}.example", "--reason", text)
        with open(cls.folder / "machines.csv", "w", encoding="utf-8") as f:
            f.write("address,name,owner\n")
            for i, text in enumerate(HOSTILE[:3]):
                quoted = text.replace('"', '""')
                f.write(f'192.0.2.{7 + i},"{quoted}","{quoted}"\n')
        cls.sekisho("endpoint", "import", f"{cls.folder}/machines.csv", "--time", "2026-11-01")
        cls.pages = {}
        for lang in ("en", "ja"):
            for audience in ("soc", "managers"):
                # from the hits of the fixture to now: changes, triage and machines are all in it
                cls.pages[lang, audience] = cls.sekisho(
                    "report", "range", "--since", "2026-11-16", "--lang", lang, "--for", audience,
                    "-f", "html")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def sekisho(cls, *args):
        done = subprocess.run([os.environ["SEK_COMMAND"], *args], env=cls.env, check=False,
                              capture_output=True)
        if done.returncode:
            raise AssertionError(f"{args}: {done.stderr.decode()}")
        return done.stdout.decode("utf-8")

    def each(self):
        return [(key, text, Page(text)) for key, text in self.pages.items()]

    def test_well_formed(self):
        for (lang, _), text, page in self.each():
            self.assertEqual(page.faults, [])
            self.assertTrue(text.startswith("<!DOCTYPE html>\n"))
            self.assertEqual(page.all("html"), [{"lang": lang}])
            ids = [a["id"] for _, a, _ in page.elements if "id" in a]
            self.assertEqual(len(ids), len(set(ids)))
            for _, attrs, _ in page.elements:
                self.assertIn(attrs.get("aria-labelledby", ids[0]), ids)

    def test_alone(self):
        """No element or attribute fetches, runs or leads anywhere; the policy says so, too."""
        for _, text, page in self.each():
            for tag, attrs, _ in page.elements:
                self.assertNotIn(tag, ("script", "img", "link", "iframe", "object", "embed", "base",
                                       "form", "a", "use", "image", "foreignobject"))
                for name in attrs:
                    self.assertFalse(name.startswith("on") or name in ("style", "src", "href"), name)
            style = text.split("<style>")[1].split("</style>")[0]
            digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
            policy = [a["content"] for a in page.all("meta") if "http-equiv" in a]
            self.assertEqual(policy, [f"default-src 'none'; style-src 'sha256-{digest}';"
                                      " base-uri 'none'; form-action 'none'"])
            self.assertNotIn("url(", style)
            self.assertNotIn("@import", style)

    def test_accessible(self):
        for (_, audience), _, page in self.each():
            heads = [(a, stack) for tag, a, stack in page.elements if tag == "th"]
            self.assertTrue(heads)
            for attrs, stack in heads:
                self.assertEqual(attrs["scope"], "col" if "thead" in stack else "row")
            # the chart's numbers stand in a table of the same figure
            tables = [stack for tag, _, stack in page.elements if tag == "table"]
            self.assertTrue(any("figure" in stack and "details" in stack for stack in tables))
            for _, attrs, _ in [e for e in page.elements if e[0] == "svg"]:
                self.assertTrue(attrs.get("aria-hidden") == "true" or attrs.get("aria-label"))
            self.assertEqual(len(page.all("h1")), 1)
            self.assertGreater(len(page.all("h2")), 8 if audience == "soc" else 6)

    def test_hostile(self):
        """What is hostile is read as it is written; what deceives the eye is written out."""
        for (_, audience), text, page in self.each():
            self.assertFalse(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]",
                                       text))
            self.assertFalse(any("h1/" in where or where.endswith("script") for where, _ in page.texts))
            self.assertIn(HOSTILE[1], page.text())  # a list, in both
            if audience == "soc":
                for hostile in (HOSTILE[0], HOSTILE[2], HOSTILE[4], HOSTILE[5],
                                "a\\u{202e}b\\u{200f}\\x1b[2J\\x07", f"{HOSTILE[0]} ({HOSTILE[0]})"):
                    self.assertIn(hostile, page.text())

    def test_markdown(self):
        text = self.sekisho("report", "range", "--since", "2026-11-16", "-f", "markdown")
        self.assertNotIn("<", text)
        self.assertNotIn("\x1b", text)
        rows = [line for line in text.split("\n") if line.startswith("|")]
        for before, row in zip(rows, rows[1:]):
            cells = [len(re.findall(r"(?<!\\)\|", line)) for line in (before, row)]
            if "---" in row:
                self.assertEqual(*cells)
        self.assertIn("&#60;script&#62;", text)

    @unittest.skipUnless(shutil.which("chromium"), "no chromium")
    def test_chromium(self):
        page = self.folder / "page.html"
        page.write_text(self.pages["en", "soc"], encoding="utf-8")
        done = subprocess.run(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", f"--user-data-dir={self.folder}/chromium",
             "--enable-logging=stderr", "--dump-dom", f"file://{page}"],
            capture_output=True, timeout=100, check=True)
        dom, said = done.stdout.decode(), done.stderr.decode("utf-8", "replace")
        self.assertEqual([line for line in said.split("\n") if "CONSOLE" in line], [])
        self.assertIn("<title>Report ·", dom)
        self.assertNotIn("<script", dom)
        self.assertNotIn("RAN</title>", dom)
        # and that the test would see it
        page.write_text("<title>x</title><script>console.error('seen')</script>", encoding="utf-8")
        done = subprocess.run(done.args, capture_output=True, timeout=100, check=True)
        self.assertIn("CONSOLE", done.stderr.decode("utf-8", "replace"))


if __name__ == "__main__":
    unittest.main()
