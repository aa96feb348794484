#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hold lines of `sekisho events` against what the published schemas ask for.

    check_events FORMAT [FILE...]    prints how many lines of which kind are valid; exit 1 if any is not

The tables hold what the specifications say is required, with the type, and the sets of values that
they allow:
  ecs      elastic.co/guide/en/ecs/8.11: ecs-base, ecs-event (with the types that each category
           allows), ecs-dns, ecs-observer, ecs-rule, ecs-related, ecs-threat
  ocsf     schema.ocsf.io/1.3.0: base_event, classes dns_activity, detection_finding and
           entity_management, profile security_control, and the objects within
  cef      ArcSight Common Event Format, implementation standard, version 26
  rfc5424  section 6
"""
import ipaddress
import json
import re
import sys
from datetime import datetime

KINDS = ("hit", "finding", "change")


class Bad(Exception):
    pass


def need(ok, text):
    if not ok:
        raise Bad(text)


def no_doubles(pairs):
    need(len({k for k, _ in pairs}) == len(pairs), f"a key twice: {[k for k, _ in pairs]}")
    return dict(pairs)


def object_of(line):
    return json.loads(line, object_pairs_hook=no_doubles)


def at(tree, path):
    for part in path.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return None
        tree = tree[part]
    return tree


def is_time(v):
    return isinstance(v, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", v) \
        and bool(datetime.strptime(v, "%Y-%m-%dT%H:%M:%S.%fZ"))


def is_ip(v):
    try:
        return isinstance(v, str) and bool(ipaddress.ip_address(v))
    except ValueError:
        return False


def is_text(v):
    return isinstance(v, str) and v != ""


def is_int(v):
    return isinstance(v, int) and not isinstance(v, bool)


def is_texts(v):
    return isinstance(v, list) and v and all(is_text(x) for x in v)


def hold(tree, table):
    for path, fits in table.items():
        v = at(tree, path)
        need(v is not None, f"{path} is missing")
        need(fits(v), f"{path}: {v!r}")


def one_of(*values):
    return lambda v: v in values


# --- native ------------------------------------------------------------------------------------

def native(line):
    e = object_of(line)
    hold(e, {"schema": one_of("sekisho.events/1"), "id": lambda v: re.fullmatch("[0-9a-f]{32}", v),
             "kind": one_of(*KINDS), "time": is_time, "host": is_text, "message": is_text,
             "severity": one_of(*range(11))})
    hold(e, {"hit": {"endpoint": is_text, "name": is_text, "type": is_text, "count": is_int,
                     "first": is_time, "last": is_time, "action": is_text, "trigger": is_text},
             "finding": {"finding": is_int, "revision": is_int, "detector": is_text,
                         "evidence": lambda v: isinstance(v, dict)},
             "change": {"number": is_int, "user": is_text, "verb": is_text, "hash": is_text}}
         [e["kind"]])
    return e["kind"]


# --- ECS ---------------------------------------------------------------------------------------

ECS_TYPES = {  # "Expected event types for category …"
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "intrusion_detection": {"allowed", "denied", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
}
ECS_ALWAYS = {
    "@timestamp": is_time, "ecs.version": lambda v: v.startswith("8."), "message": is_text,
    "event.id": is_text, "event.kind": one_of("alert", "event"), "event.category": is_texts,
    "event.type": is_texts, "event.action": is_text, "event.module": is_text,
    "event.dataset": lambda v: v.split(".")[0] == "sekisho", "event.severity": is_int,
    "observer.vendor": is_text, "observer.product": is_text, "observer.type": is_text,
    "observer.version": is_text, "observer.hostname": is_text,
}
ECS_HIT = {
    "source.address": is_text, "dns.type": one_of("query", "answer"), "dns.question.name": is_text,
    "dns.question.type": is_text, "dns.question.class": is_text, "event.start": is_time,
    "event.end": is_time, "related.hosts": is_texts, "network.protocol": one_of("dns"),
}
ECS_FINDING = {
    "source.address": is_text, "event.start": is_time, "event.end": is_time, "rule.name": is_text,
    "threat.framework": is_text, "threat.technique.id": is_texts,
}
ECS_CHANGE = {"user.name": is_text, "user.id": is_text, "related.user": is_texts,
              "event.outcome": one_of("failure", "success", "unknown")}


def ecs(line):
    e = object_of(line)
    hold(e, ECS_ALWAYS)
    kind = e["event"]["dataset"].split(".")[1]
    hold(e, {"hit": ECS_HIT, "finding": ECS_FINDING, "change": ECS_CHANGE}[kind])
    allowed = set().union(*(ECS_TYPES[c] for c in e["event"]["category"]))
    need(set(e["event"]["type"]) <= allowed, f"event.type {e['event']['type']}")
    ip = at(e, "source.ip")
    need(ip is None or (is_ip(ip) and ip in e["related"]["ip"]), "source.ip")
    own = set(e) - {"@timestamp", "ecs", "message", "event", "observer", "source", "network", "dns",
                    "rule", "threat", "user", "process", "related", "sekisho"}
    need(not own, f"not of ECS: {own}")
    return kind


# --- OCSF --------------------------------------------------------------------------------------

def is_ms(v):
    return is_int(v) and 10**12 < v < 10**13


OCSF_BASE = {  # required of base_event, and of metadata and product in it
    "activity_id": is_int, "category_uid": is_int, "class_uid": is_int, "type_uid": is_int,
    "severity_id": one_of(0, 1, 2, 3, 4, 5, 6, 99), "time": is_ms,
    "metadata.version": lambda v: re.fullmatch(r"\d+\.\d+\.\d+", v),
    "metadata.product.vendor_name": is_text, "metadata.product.name": is_text,
}
OCSF_CLASS = {  # category, activities, required attributes
    4003: (4, {0, 1, 2, 6, 99}, {"query.hostname": is_text, "query.type": is_text,
                                 "dst_endpoint.hostname": is_text, "src_endpoint": dict.__len__,
                                 "action_id": one_of(0, 1, 2, 3, 4, 99),
                                 "disposition_id": one_of(*range(28), 99)}),
    2004: (2, {0, 1, 2, 3, 99}, {"finding_info.uid": is_text, "finding_info.title": is_text,
                                 "finding_info.analytic.type_id": one_of(0, 1, 2, 3, 4, 99),
                                 "finding_info.first_seen_time": is_ms,
                                 "finding_info.last_seen_time": is_ms,
                                 "confidence_score": one_of(*range(101)),
                                 "status_id": one_of(0, 1, 2, 3, 4, 5, 6, 99),
                                 "action_id": is_int, "disposition_id": is_int}),
    3004: (3, {0, 1, 2, 3, 4, 99}, {"entity.name": is_text, "entity.uid": is_text,
                                    "actor.user.name": is_text}),
}


def ocsf(line):
    e = object_of(line)
    hold(e, OCSF_BASE)
    category, activities, table = OCSF_CLASS[e["class_uid"]]
    need(e["category_uid"] == category and e["activity_id"] in activities, "class and activity")
    need(e["type_uid"] == e["class_uid"] * 100 + e["activity_id"], "type_uid")
    hold(e, table)
    for o in e.get("observables", []):
        need(is_text(o["name"]) and is_int(o["type_id"]) and is_text(o["value"]), f"observable {o}")
    for a in at(e, "finding_info.attacks") or []:
        need(is_text(a["technique"]["uid"]) and is_text(a["version"]), f"attack {a}")
    ip = at(e, "src_endpoint.ip")
    need(ip is None or is_ip(ip), "src_endpoint.ip")
    return {4003: "hit", 2004: "finding", 3004: "change"}[e["class_uid"]]


# --- CEF ---------------------------------------------------------------------------------------

CEF_KEYS = {  # of the dictionary, with the type where it is not a string
    "rt": "time", "start": "time", "end": "time", "externalId": "", "dvchost": "", "cnt": "int",
    "src": "ipv4", "shost": "", "act": "", "app": "", "cat": "", "dhost": "",
    "destinationDnsDomain": "", "suser": "", "suid": "", "reason": "", "msg": "", "c6a2": "ipv6",
    "deviceCustomDate1": "time", "cfp1": "real", "cn1": "int", "cn2": "int",
    **{f"cs{i}": "" for i in range(1, 7)}}
CEF_FITS = {"": lambda v: v != "", "time": lambda v: re.fullmatch(r"\d{13}", v),
            "int": lambda v: re.fullmatch(r"-?\d+", v),
            "real": lambda v: re.fullmatch(r"-?\d+\.\d+", v),
            "ipv4": lambda v: is_ip(v) and ":" not in v, "ipv6": lambda v: is_ip(v) and ":" in v}


def cef(line):
    head = re.match(r"CEF:0\|((?:[^|\\]|\\[|\\])*\|){6}", line)
    need(head, "head")
    parts = re.findall(r"((?:[^|\\]|\\[|\\])*)\|", head.group())[1:]
    vendor, product, version, signature, name, severity = parts
    need(vendor and product and version and name and 0 <= int(severity) <= 10, f"head {parts}")
    rest = line[head.end():]
    # a key follows a blank and ends at an equals sign that is not escaped
    marks = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", re.sub(r"\\.", "__", rest)))
    need(marks and marks[0].start() == 0, "extension")
    seen = {}
    for m, following in zip(marks, [*marks[1:], None]):
        value = rest[m.end():following.start() if following else None]
        need(re.fullmatch(r"(?:[^=\\]|\\[=\\nr])*", value), f"{m[1]}: {value!r} is not escaped")
        need(m[1] not in seen, f"{m[1]} twice")
        seen[m[1]] = value
    for key, value in seen.items():
        if key.endswith("Label"):
            need(key[:-5] in seen and value, f"{key} without a value")
            continue
        need(key in CEF_KEYS, f"{key} is not in the dictionary")
        need(CEF_FITS[CEF_KEYS[key]](value), f"{key}: {value!r}")
        need(not re.match(r"(?:cs|cn|cfp|c6a)\d|deviceCustom", key) or key + "Label" in seen, f"{key}: no label")
    need({"rt", "externalId", "msg"} <= set(seen), "rt, externalId and msg")
    return signature


# --- RFC 5424 ----------------------------------------------------------------------------------

SD_NAME = r'[!#-<>-\\^-~]{1,32}'  # SD-NAME: printable ASCII but =, blank, ] and "
SYSLOG = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([!-~]{1,255}) ([!-~]{1,48}) "
    rf'([!-~]{{1,128}}) ([!-~]{{1,32}}) (-|\[{SD_NAME}(?: {SD_NAME}="(?:[^"\\\]]|\\["\\\]])*")*\])'
    r"(?: (.*))?")


def rfc5424(line):
    m = SYSLOG.fullmatch(line)
    need(m, "not of RFC 5424")
    need(int(m[1]) <= 191 and m[4] == "sekisho" and m[6] in KINDS, "PRI, APP-NAME or MSGID")
    need(m[8].startswith("\ufeff") and len(m[8]) > 1, "MSG without a byte order mark")
    params = dict(re.findall(rf' ({SD_NAME})="((?:[^"\\\]]|\\["\\\]])*)"', m[7]))
    need({"id", "kind", "time", "host"} <= set(params) and params["kind"] == m[6], "parameters")
    return m[6]


CHECKS = {"jsonl": native, "ecs": ecs, "ocsf": ocsf, "cef": cef, "rfc5424": rfc5424}


def main(fmt, files):
    counts, bad = dict.fromkeys(KINDS, 0), 0
    for source in files or ["/dev/stdin"]:
        with open(source, encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    need(line.endswith("\n"), "no end of line")
                    need(all(c.isprintable() or c == "\ufeff" for c in line[:-1]), "a control")
                    counts[CHECKS[fmt](line[:-1])] += 1
                except (Bad, ValueError, KeyError, TypeError) as e:
                    bad += 1
                    print(f"{source}:{number}: {type(e).__name__}: {e}: {line[:200]!r}")
    print(f"{fmt}: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
    return 1 if bad or not sum(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
