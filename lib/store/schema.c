/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/schema.h"
#include <string.h>
#include "base/banned.h"

/* Parts of the view `hits` that its versions share: they stay as they are. */
#define HITS_BEGIN                                                                                 \
    "CREATE VIEW hits AS SELECT h.id,"                                                             \
    " strftime('%Y-%m-%dT%H:%M:%fZ', s.first_ms / 1000.0, 'unixepoch') AS first_seen,"             \
    " strftime('%Y-%m-%dT%H:%M:%fZ', s.last_ms / 1000.0, 'unixepoch') AS last_seen,"               \
    " s.count, e.address AS endpoint, n.text AS name, d.text AS domain,"                           \
    " CASE h.qtype WHEN 1 THEN 'A' WHEN 2 THEN 'NS' WHEN 5 THEN 'CNAME' WHEN 6 THEN 'SOA'"         \
    "  WHEN 12 THEN 'PTR' WHEN 15 THEN 'MX' WHEN 16 THEN 'TXT' WHEN 28 THEN 'AAAA'"                \
    "  WHEN 33 THEN 'SRV' WHEN 35 THEN 'NAPTR' WHEN 43 THEN 'DS' WHEN 46 THEN 'RRSIG'"             \
    "  WHEN 48 THEN 'DNSKEY' WHEN 64 THEN 'SVCB' WHEN 65 THEN 'HTTPS' WHEN 255 THEN 'ANY'"         \
    "  WHEN 257 THEN 'CAA' ELSE 'TYPE' || h.qtype END AS type,"
#define HITS_ACTIONS                                                                               \
    " CASE h.action WHEN 1 THEN 'passthru' WHEN 2 THEN 'log' WHEN 3 THEN 'nxdomain'"               \
    "  WHEN 4 THEN 'nodata' WHEN 5 THEN 'sinkhole' WHEN 6 THEN 'refused' WHEN 7 THEN 'drop'"       \
    "  ELSE '?' END AS action,"                                                                    \
    " CASE h.would WHEN 1 THEN 'passthru' WHEN 2 THEN 'log' WHEN 3 THEN 'nxdomain'"                \
    "  WHEN 4 THEN 'nodata' WHEN 5 THEN 'sinkhole' WHEN 6 THEN 'refused' WHEN 7 THEN 'drop'"       \
    "  ELSE '?' END AS would,"
/* Since there are tcp-only and local-data. */
#define HITS_ACTION_OF(column)                                                                     \
    " CASE h." column " WHEN 1 THEN 'passthru' WHEN 2 THEN 'log' WHEN 3 THEN 'nxdomain'"           \
    "  WHEN 4 THEN 'nodata' WHEN 5 THEN 'sinkhole' WHEN 6 THEN 'refused' WHEN 7 THEN 'drop'"       \
    "  WHEN 8 THEN 'tcp-only' WHEN 9 THEN 'local-data' ELSE '?' END AS " column ","
#define HITS_RULE                                                                                  \
    " h.monitor,"                                                                                  \
    " CASE h.scope WHEN 1 THEN '=' || o.text WHEN 2 THEN o.text WHEN 3 THEN '*.' || o.text"        \
    "  ELSE '' END AS rule,"
#define HITS_TRIGGER                                                                               \
    " CASE h.trigger WHEN 0 THEN 'none' WHEN 1 THEN 'qname' WHEN 2 THEN 'cname'"                   \
    "  WHEN 3 THEN 'strict' WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding' WHEN 6 THEN 'nod'"      \
    "  WHEN 7 THEN 'canary' WHEN 8 THEN 'client-ip' WHEN 9 THEN 'response-ip'"                     \
    "  WHEN 10 THEN 'nsdname' WHEN 11 THEN 'nsip' WHEN 12 THEN 'regex' WHEN 13 THEN 'asn'"         \
    "  WHEN 14 THEN 'country' WHEN 15 THEN 'rebinding' WHEN 16 THEN 'sinkholed' ELSE '?' END"      \
    "  AS trigger,"
#define HITS_MATCHED                                                                               \
    " m.text AS matched, h.generation, printf('%08x', h.decision) AS decision,"                    \
    " CASE h.score WHEN -32768 THEN NULL ELSE h.score / 100.0 END AS score"
#define HITS_END                                                                                   \
    " FROM hit h JOIN hit_sum s ON s.id = h.id JOIN endpoint e ON e.id = h.endpoint"               \
    " JOIN name n ON n.id = h.name JOIN name d ON d.id = h.domain JOIN name o ON o.id = h.owner"   \
    " JOIN name m ON m.id = h.matched LEFT JOIN list l ON l.id = h.list;"

/* Times of rows are UTC: minute = Unix time / 60, *_ms = Unix milliseconds. The numbers of action,
 * trigger, scope and outcome are the enums of rule.h, verdict.h and event.h; the views say them in
 * words, which a test holds against the tables in the code.
 *
 * name.used and endpoint.used: the last hour in which a row was added that refers to it. Rows older
 * than the oldest hour that is left cannot refer to what was used before, so clean-up needs no
 * search. hit_sum holds what changes of a hit while its minute lasts, apart from what does not: a
 * row of 4 columns is updated for a third of the cost of one of 19. traffic is kept in the order of
 * its key: the rows of a minute lie together, and its oldest go first. No index on hit.list, domain
 * or decision: each costs every new row; such questions scan the time range.
 *
 * finding stands alone: few rows, with addresses and names as text, so that clean-up of hits and
 * traffic need not know of it. domain_path: sek_name_to_path, '' without a domain.
 * domain stands alone, too: who asked first for a registered domain, by which name and type; the
 * address and TTL are of the first answer.
 * response, too: which addresses DNS gave for tracked names (path: sek_name_to_path).
 * server: which name servers a registered domain was seen to have (both sek_name_to_path).
 * identity (of state) tells databases apart, and finding.change grows with every row that is added
 * or renewed: by them events are exported once each. last_hit, last_finding and last_change hold
 * the highest numbers of rows that were deleted, so that no number comes back.
 * That evidence is a JSON object is the writer's to check: SQLite 3.40 runs no JSON function out
 * of a schema that it does not trust. */
static const char *const steps[] = {
    "CREATE TABLE state(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE endpoint(id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE,"
    " first_ms INTEGER NOT NULL, used INTEGER NOT NULL) STRICT;"
    "CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL, path TEXT NOT NULL UNIQUE,"
    " used INTEGER NOT NULL) STRICT;"
    "CREATE TABLE list(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    "CREATE TABLE hit(id INTEGER PRIMARY KEY, minute INTEGER NOT NULL, endpoint INTEGER NOT NULL,"
    " name INTEGER NOT NULL, domain INTEGER NOT NULL, qtype INTEGER NOT NULL,"
    " list INTEGER NOT NULL, action INTEGER NOT NULL, would INTEGER NOT NULL,"
    " trigger INTEGER NOT NULL, monitor INTEGER NOT NULL, scope INTEGER NOT NULL,"
    " owner INTEGER NOT NULL, matched INTEGER NOT NULL, generation INTEGER NOT NULL,"
    " decision INTEGER NOT NULL) STRICT;"
    "CREATE TABLE hit_sum(id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;"
    "CREATE TRIGGER hit_deleted AFTER DELETE ON hit"
    " BEGIN DELETE FROM hit_sum WHERE id = old.id; END;"
    "CREATE INDEX hit_minute ON hit(minute);"
    "CREATE INDEX hit_endpoint ON hit(endpoint, minute);"
    "CREATE INDEX hit_name ON hit(name, minute);"
    "CREATE TABLE traffic(minute INTEGER NOT NULL, endpoint INTEGER NOT NULL,"
    " domain INTEGER NOT NULL, hits INTEGER NOT NULL, cached INTEGER NOT NULL,"
    " passed INTEGER NOT NULL, nxdomain INTEGER NOT NULL, failed INTEGER NOT NULL,"
    " local INTEGER NOT NULL, PRIMARY KEY(minute, endpoint, domain)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX traffic_endpoint ON traffic(endpoint);" /* the key's other columns follow */
    "CREATE INDEX traffic_domain ON traffic(domain);" HITS_BEGIN
    " coalesce(l.name, '') AS list," HITS_ACTIONS
    " CASE h.trigger WHEN 0 THEN 'none' WHEN 1 THEN 'qname' WHEN 2 THEN 'cname'"
    "  WHEN 3 THEN 'strict' ELSE '?' END AS trigger," HITS_RULE
    " m.text AS matched, h.generation, printf('%08x', h.decision) AS decision" HITS_END
    "CREATE VIEW traffic_by_minute AS SELECT"
    " strftime('%Y-%m-%dT%H:%M:%SZ', t.minute * 60, 'unixepoch') AS minute,"
    " e.address AS endpoint, d.text AS domain,"
    " t.hits + t.cached + t.passed + t.nxdomain + t.failed + t.local AS queries,"
    " t.hits, t.cached, t.passed, t.nxdomain, t.failed, t.local"
    " FROM traffic t JOIN endpoint e ON e.id = t.endpoint JOIN name d ON d.id = t.domain;"
    "CREATE VIEW endpoints AS SELECT e.address AS endpoint,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', e.first_ms / 1000.0, 'unixepoch') AS first_seen,"
    " strftime('%Y-%m-%dT%H:%M:%SZ', (SELECT max(t.minute) FROM traffic t"
    "  WHERE t.endpoint = e.id) * 60, 'unixepoch') AS last_minute FROM endpoint e;",
    "ALTER TABLE hit ADD COLUMN score INTEGER NOT NULL DEFAULT -32768;" /* SEK_SCORE_UNKNOWN */
    "CREATE TABLE finding(id INTEGER PRIMARY KEY, detector INTEGER NOT NULL,"
    " endpoint TEXT NOT NULL, domain TEXT NOT NULL, domain_path TEXT NOT NULL,"
    " start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, confidence REAL NOT NULL,"
    " mode INTEGER NOT NULL, blocked_until_s INTEGER NOT NULL, technique TEXT NOT NULL,"
    " evidence TEXT NOT NULL,"
    " UNIQUE(detector, endpoint, start_ms)) STRICT;"
    "CREATE INDEX finding_end ON finding(end_ms);"
    "CREATE INDEX finding_endpoint ON finding(endpoint, end_ms);"
    "CREATE INDEX finding_domain ON finding(domain_path, end_ms);"
    "DROP VIEW hits;" HITS_BEGIN
    " coalesce(l.name, CASE h.trigger WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding' ELSE '' END)"
    "  AS list," HITS_ACTIONS
    " CASE h.trigger WHEN 0 THEN 'none' WHEN 1 THEN 'qname' WHEN 2 THEN 'cname'"
    "  WHEN 3 THEN 'strict' WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding' ELSE '?' END"
    "  AS trigger," HITS_RULE
    " m.text AS matched, h.generation, printf('%08x', h.decision) AS decision,"
    " CASE h.score WHEN -32768 THEN NULL ELSE h.score / 100.0 END AS score" HITS_END
    "CREATE VIEW findings AS SELECT id, CASE detector WHEN 1 THEN 'dga' ELSE '?' END AS detector,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', start_ms / 1000.0, 'unixepoch') AS first_seen,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', end_ms / 1000.0, 'unixepoch') AS last_seen,"
    " endpoint, domain, confidence,"
    " CASE mode WHEN 0 THEN 'off' WHEN 1 THEN 'monitor' WHEN 2 THEN 'block' ELSE '?' END AS mode,"
    " CASE blocked_until_s WHEN 0 THEN NULL"
    "  ELSE strftime('%Y-%m-%dT%H:%M:%SZ', blocked_until_s, 'unixepoch') END AS blocked_until,"
    " technique, evidence FROM finding;",
    "CREATE TABLE domain(name TEXT PRIMARY KEY, first_ms INTEGER NOT NULL, endpoint TEXT NOT NULL,"
    " qname TEXT NOT NULL, qtype INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX domain_first ON domain(first_ms);"
    "DROP VIEW hits;" HITS_BEGIN
    " coalesce(l.name, CASE h.trigger WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding'"
    "  WHEN 6 THEN 'nod' ELSE '' END) AS list," HITS_ACTIONS
    " CASE h.trigger WHEN 0 THEN 'none' WHEN 1 THEN 'qname' WHEN 2 THEN 'cname'"
    "  WHEN 3 THEN 'strict' WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding' WHEN 6 THEN 'nod'"
    "  ELSE '?' END AS trigger," HITS_RULE
    " m.text AS matched, h.generation, printf('%08x', h.decision) AS decision,"
    " CASE h.score WHEN -32768 THEN NULL ELSE h.score / 100.0 END AS score" HITS_END,
    "DROP VIEW hits;" HITS_BEGIN
    " coalesce(l.name, CASE h.trigger WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding'"
    "  WHEN 6 THEN 'nod' WHEN 7 THEN 'canary' ELSE '' END) AS list," HITS_ACTIONS
    " CASE h.trigger WHEN 0 THEN 'none' WHEN 1 THEN 'qname' WHEN 2 THEN 'cname'"
    "  WHEN 3 THEN 'strict' WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding' WHEN 6 THEN 'nod'"
    "  WHEN 7 THEN 'canary' ELSE '?' END AS trigger," HITS_RULE
    " m.text AS matched, h.generation, printf('%08x', h.decision) AS decision,"
    " CASE h.score WHEN -32768 THEN NULL ELSE h.score / 100.0 END AS score" HITS_END
    "DROP VIEW findings;"
    "CREATE VIEW findings AS SELECT id, CASE detector WHEN 1 THEN 'dga' WHEN 2 THEN 'beacon'"
    "  WHEN 3 THEN 'tunnel' WHEN 4 THEN 'nxdomain-burst' WHEN 5 THEN 'fast-flux'"
    "  WHEN 6 THEN 'short-lived' WHEN 7 THEN 'surge'"
    "  WHEN 8 THEN 'new-domain-rate' WHEN 9 THEN 'resolver-bypass' ELSE '?' END AS detector,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', start_ms / 1000.0, 'unixepoch') AS first_seen,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', end_ms / 1000.0, 'unixepoch') AS last_seen,"
    " endpoint, domain, confidence,"
    " CASE mode WHEN 0 THEN 'off' WHEN 1 THEN 'monitor' WHEN 2 THEN 'block' ELSE '?' END AS mode,"
    " CASE blocked_until_s WHEN 0 THEN NULL"
    "  ELSE strftime('%Y-%m-%dT%H:%M:%SZ', blocked_until_s, 'unixepoch') END AS blocked_until,"
    " technique, evidence FROM finding;",
    "ALTER TABLE domain ADD COLUMN address TEXT;"
    "ALTER TABLE domain ADD COLUMN ttl_s INTEGER;"
    /* by day first, so that whole days go, and new rows come, at one place */
    "CREATE TABLE answer(day INTEGER NOT NULL, address BLOB NOT NULL, domain TEXT NOT NULL,"
    " PRIMARY KEY(day, address, domain)) STRICT, WITHOUT ROWID;",
    "DROP VIEW hits;" HITS_BEGIN
    " coalesce(l.name, CASE h.trigger WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding'"
    "  WHEN 6 THEN 'nod' WHEN 7 THEN 'canary' ELSE '' END) AS list," HITS_ACTIONS
    " CASE h.trigger WHEN 0 THEN 'none' WHEN 1 THEN 'qname' WHEN 2 THEN 'cname'"
    "  WHEN 3 THEN 'strict' WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding' WHEN 6 THEN 'nod'"
    "  WHEN 7 THEN 'canary' WHEN 8 THEN 'client-ip' WHEN 9 THEN 'response-ip'"
    "  WHEN 10 THEN 'nsdname' WHEN 11 THEN 'nsip' WHEN 12 THEN 'regex' WHEN 13 THEN 'asn'"
    "  WHEN 14 THEN 'country' WHEN 15 THEN 'rebinding' WHEN 16 THEN 'sinkholed' ELSE '?' END"
    "  AS trigger," HITS_RULE
    " m.text AS matched, h.generation, printf('%08x', h.decision) AS decision,"
    " CASE h.score WHEN -32768 THEN NULL ELSE h.score / 100.0 END AS score" HITS_END,
    "ALTER TABLE domain ADD COLUMN queries INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE domain ADD COLUMN ttl_min_s INTEGER;" /* NULL: ttl_s is all that is known */
    "CREATE TABLE response(path TEXT NOT NULL, address BLOB NOT NULL, first_ms INTEGER NOT NULL,"
    " last_day INTEGER NOT NULL, news INTEGER NOT NULL, endpoint TEXT NOT NULL,"
    " PRIMARY KEY(path, address)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX response_day ON response(last_day);"
    "DROP VIEW findings;"
    "CREATE VIEW findings AS SELECT id, CASE detector WHEN 1 THEN 'dga' WHEN 2 THEN 'beacon'"
    "  WHEN 3 THEN 'tunnel' WHEN 4 THEN 'nxdomain-burst' WHEN 5 THEN 'fast-flux'"
    "  WHEN 6 THEN 'short-lived' WHEN 7 THEN 'surge' WHEN 8 THEN 'new-domain-rate'"
    "  WHEN 9 THEN 'resolver-bypass' WHEN 10 THEN 'unique-response' ELSE '?' END AS detector,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', start_ms / 1000.0, 'unixepoch') AS first_seen,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', end_ms / 1000.0, 'unixepoch') AS last_seen,"
    " endpoint, domain, confidence,"
    " CASE mode WHEN 0 THEN 'off' WHEN 1 THEN 'monitor' WHEN 2 THEN 'block' ELSE '?' END AS mode,"
    " CASE blocked_until_s WHEN 0 THEN NULL"
    "  ELSE strftime('%Y-%m-%dT%H:%M:%SZ', blocked_until_s, 'unixepoch') END AS blocked_until,"
    " technique, evidence FROM finding;",
    "INSERT OR IGNORE INTO state(key, value) VALUES('identity', random());"
    "ALTER TABLE finding ADD COLUMN change INTEGER NOT NULL DEFAULT 0;"
    "UPDATE finding SET change = id;"
    "CREATE INDEX finding_change ON finding(change);",
    "DROP VIEW hits;" HITS_BEGIN
    " coalesce(l.name, CASE h.trigger WHEN 4 THEN 'classifier' WHEN 5 THEN 'finding'"
    "  WHEN 6 THEN 'nod' WHEN 7 THEN 'canary' ELSE '' END) AS list," HITS_ACTION_OF("action")
        HITS_ACTION_OF("would") HITS_TRIGGER HITS_RULE HITS_MATCHED HITS_END,
    /* NULL: found before this was noted */
    "ALTER TABLE finding ADD COLUMN may_block_s INTEGER;"
    "DROP VIEW findings;"
    "CREATE VIEW findings AS SELECT id, CASE detector WHEN 1 THEN 'dga' WHEN 2 THEN 'beacon'"
    "  WHEN 3 THEN 'tunnel' WHEN 4 THEN 'nxdomain-burst' WHEN 5 THEN 'fast-flux'"
    "  WHEN 6 THEN 'short-lived' WHEN 7 THEN 'surge' WHEN 8 THEN 'new-domain-rate'"
    "  WHEN 9 THEN 'resolver-bypass' WHEN 10 THEN 'unique-response' WHEN 11 THEN 'sinkholed'"
    "  ELSE '?' END AS detector,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', start_ms / 1000.0, 'unixepoch') AS first_seen,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', end_ms / 1000.0, 'unixepoch') AS last_seen,"
    " endpoint, domain, confidence,"
    " CASE mode WHEN 0 THEN 'off' WHEN 1 THEN 'monitor' WHEN 2 THEN 'block' ELSE '?' END AS mode,"
    " CASE blocked_until_s WHEN 0 THEN NULL"
    "  ELSE strftime('%Y-%m-%dT%H:%M:%SZ', blocked_until_s, 'unixepoch') END AS blocked_until,"
    " technique, evidence FROM finding;",
    /* all that an endpoint's sums need: its rows lie far apart in the tables */
    "DROP INDEX hit_endpoint;"
    "CREATE INDEX hit_endpoint ON hit(endpoint, minute, name, list, action, monitor, trigger,"
    " score);"
    "DROP INDEX traffic_endpoint;"
    "CREATE INDEX traffic_endpoint ON traffic(endpoint, minute, domain, hits, cached, passed,"
    " nxdomain, failed, local);"
    "ALTER TABLE answer ADD COLUMN ttl_min_s INTEGER;" /* both NULL: not known */
    "ALTER TABLE answer ADD COLUMN ttl_max_s INTEGER;"
    "CREATE TABLE server(domain TEXT NOT NULL, name TEXT NOT NULL, first_day INTEGER NOT NULL,"
    " last_day INTEGER NOT NULL, PRIMARY KEY(domain, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX server_name ON server(name);"
    "CREATE INDEX server_day ON server(last_day);",
    /* the first query was refused by a rule; until then such domains were not written down */
    "ALTER TABLE domain ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;",
    "DROP VIEW hits;" HITS_BEGIN
    " coalesce(l.name, CASE h.trigger WHEN 3 THEN 'strict' WHEN 4 THEN 'classifier'"
    "  WHEN 5 THEN 'finding' WHEN 6 THEN 'nod' WHEN 7 THEN 'canary' WHEN 15 THEN 'rebinding'"
    "  ELSE '' END) AS list," HITS_ACTION_OF("action") HITS_ACTION_OF("would")
        HITS_TRIGGER HITS_RULE HITS_MATCHED HITS_END,
    NULL,
};

const struct sek_sql_schema sek_events_schema = {
    .steps = steps, .what = "an events database", .app_id = 0x53656b45, /* "SekE" */
};

size_t sek_name_to_path(const uint8_t *wire, char *out)
{
    uint8_t reversed[SEK_NAME_MAX + 1];
    size_t end = sek_name_wire_len(wire) - 1; /* without the root */
    reversed[end] = 0;
    while (*wire) {
        size_t len = (size_t)*wire + 1;
        end -= len;
        memcpy(reversed + end, wire, len);
        wire += len;
    }
    return sek_name_to_text(reversed, out);
}
