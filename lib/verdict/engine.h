/* SPDX-License-Identifier: BSD-3-Clause */
/* THE order of decisions, once:
 *   0. rules about the client's address, unless a group restricts it: an exception or a block there
 *      is final, as RPZ has it (draft-vixie-dnsop-dns-rpz §5);
 *   1. exceptions (passthru rules);
 *   2. the restriction of a group that the endpoint belongs to (quarantine before any other);
 *   3. block rules;
 *   4. canary names (verdict/canary.h), dynamic blocks of findings;
 *   5. what is only recorded: rules that log or whose list is in monitor mode, restrictions in
 *      monitor mode;
 *   6. pass.
 * Policy zones (lists that were read as RPZ) say among themselves what RPZ says. Of a zone the most
 * specific rule counts alone, whatever it does. Zones have an order, by priority: what an earlier
 * one says of a name or of the client comes before what a later one says of either, and a block by
 * a later zone waits for what earlier ones say of the answer (sek_verdict_waits).
 *
 * Within a step the most specific name wins (a regular expression is less specific than any), then
 * the narrowest audience (some groups before everybody but some, before everybody), then priority
 * (the rule's own, else its list's), then the lowest list id. An exception
 * for everybody gives way to a block rule that is meant for a group of the endpoint's, unless the
 * exception's name is the more specific one. A restricted endpoint has only the exceptions that are
 * meant for the group that restricts it, and the company's own zones.
 *
 * What an answer carries is judged after its question and the names on the way, if no exception
 * covers the question: first its addresses (response-ip; then their network and country, asn and
 * country; then sinkholed; then rebinding), then the names and the addresses of the zone's servers
 * (nsdname, nsip), RPZ's order of triggers. Each by itself, with the steps 1, 3 and 5; among
 * networks the longest prefix is the most specific. An exception there covers that one address or
 * server, as whoever makes an answer could add an excepted one to it. The first that blocks
 * decides, else the first that is to be recorded. The company's own zones are never blocked by what
 * their answers carry, nor by regular expressions.
 *
 * Rules that have ended or not begun, lists that are off, rules for others, for other question
 * types or other hours (policy/terms.h) do not count. A question that is not decided then goes to
 * the detectors (verdict/detect.h). The module and `sekisho explain` call the same functions. Any
 * thread; no allocation, no clock: now_s is an argument. */
#pragma once
#include "observe/geo.h"
#include "policy/never.h"
#include "policy/policy.h"
#include "verdict/dynamic.h"
#include "verdict/verdict.h"

/* One rule considered on the way, for `explain`. */
struct sek_step {
    const struct sek_list *list;
    const struct sek_rule *rule; /* NULL: the restriction of `group` */
    const struct sek_client_group *group;
    const struct sek_terms *terms; /* of the rule; NULL: none */
    const struct sek_termset *set; /* that they are of */
    unsigned depth;                /* of the rule's owner name */
    enum sek_action action;        /* of the rule, else its list's; or what overrides both: */
    bool overridden;
    /* its owner name, where that is none of those above the question: of a regular expression, a
     * network's number, a country; else NULL */
    const struct sek_name *owner;
    bool decides;        /* this is the one */
    const char *because; /* why it does or does not: static text */
};
typedef void sek_walk_fn(void *arg, const struct sek_step *step);

/* What a verdict depends on beside the name. Zeroed: anybody, for anything; then it is blocked if
 * it is for any endpoint or type at all, which is what an answer that everybody shares must obey.
 */
struct sek_asking {
    const struct sek_addr *endpoint; /* NULL: anybody. Borrowed */
    bool outside;   /* in place of anybody: an endpoint in no group, which no rule names */
    uint16_t qtype; /* of the question, also for what is met on the way and in its answer; 0: any */
    bool stream;    /* asked over TCP, TLS or HTTPS: action tcp-only lets it pass */
};

/* What is in force: each may be NULL or off, then nothing matches there. */
struct sek_engine {
    const struct sek_policy *policy;
    const struct sek_dynamic *dynamic;
    const struct sek_never *own; /* the company's own zones */
    int canary;                  /* enum sek_canary */
    int rebinding;               /* enum sek_mode: private addresses for public names */
    const struct sek_never *rebinding_exclude; /* names that may have them; NULL: none more */
    const struct sek_geo *geo;                 /* where addresses are; NULL: not known */
    struct sek_asking asking;
    /* Rules with a condition on types or hours take no part: for formats that know no such. */
    bool plain;
};

/* Judge a name. walk may be NULL; it is told of the rules and of the restriction. */
void sek_engine_decide(const struct sek_engine *engine, const struct sek_name *name, int64_t now_s,
                       enum sek_trigger trigger, struct sek_verdict *out, sek_walk_fn *walk,
                       void *arg);

/* True: there is nothing to say of the name, whoever asks for whatever type and when, until one of
 * the engine's parts is another; decided without asking for more than names. False: perhaps. */
bool sek_engine_is_blank(const struct sek_engine *engine, const struct sek_name *name);

/* What the policy wants to know beside names, so that one without such rules costs nothing. */
enum {
    SEK_LOOKS_ENDPOINTS = 1, /* what one may have another may not: groups, client-ip, tcp-only */
    SEK_LOOKS_ADDRESSES = 2, /* in answers */
    SEK_LOOKS_SERVERS = 4,   /* names of zones' servers */
    SEK_LOOKS_SERVER_ADDRESSES = 8, /* their addresses */
};
unsigned sek_engine_looks(const struct sek_engine *engine);

/* Judge an address: of an answer (trigger RESPONSE_IP, also for sinkholed and rebinding), or of a
 * server (NSIP). question: whose answer it is. The verdict has no depth; out_matched, if a rule was
 * met: its owner name (policy/about.h), or for rebinding that of the address. */
void sek_engine_decide_address(const struct sek_engine *engine, const struct sek_name *question,
                               enum sek_trigger trigger, const struct sek_addr *addr, int64_t now_s,
                               struct sek_verdict *out, struct sek_name *out_matched,
                               sek_walk_fn *walk, void *arg);
/* What is decided of those addresses of a network that no smaller one within it holds: about is
 * RESPONSE_IP, CLIENT_IP, NSIP or SINKHOLED. For whoever writes the policy down; rules of other
 * kinds, restrictions and the company's own zones are left out of it. */
void sek_engine_decide_net(const struct sek_engine *engine, enum sek_about about,
                           const struct sek_net *net, int64_t now_s, struct sek_verdict *out,
                           sek_walk_fn *walk, void *arg);
/* The owner name of the rule that decided, for a verdict on `name` by the policy of `engine`.
 * False: no rule did, or that policy is gone. */
bool sek_engine_owner(const struct sek_engine *engine, const struct sek_name *name,
                      const struct sek_verdict *verdict, struct sek_name *out);
/* Judge the name of a server; out_matched: its owner name, which the verdict's depth counts from.
 */
void sek_engine_decide_server(const struct sek_engine *engine, const struct sek_name *question,
                              const struct sek_name *server, int64_t now_s, struct sek_verdict *out,
                              struct sek_name *out_matched, sek_walk_fn *walk, void *arg);
