/* SPDX-License-Identifier: BSD-3-Clause */
/* All parts at work in one process: policy in force, decisions, events, status page. The module
 * holds one of these and adapts Unbound to it. Workers call the sek_worker_* functions, each with
 * its own index, and never wait; the keeper's thread watches the policy files, swaps policies and
 * asks the host to drop what its cache may no longer hold. */
#pragma once
#include "conf/conf.h"
#include "event/event.h"
#include "event/status.h"
#include "verdict/engine.h"

struct sek_runtime;

struct sek_runtime_hooks {
    void *arg;
    /* Remove from the host's cache every answer that sek_runtime_judge says is blocked now.
     * Called on the keeper's thread. Returns the number removed. */
    uint64_t (*purge)(void *arg, struct sek_runtime *rt);
    /* One line for the host's log: a change of state. On any of our threads, or the starting one;
     * with `own_descriptors` by sek_runtime_tell() alone. */
    void (*say)(void *arg, bool trouble, const char *text);
    /* Our threads have descriptors of their own, which makes the system calls of a host with one
     * thread cheaper (base/descriptors.h). For a host that opens none of our files itself. */
    bool own_descriptors;
};

/* unbound: text for the status page. Fails only for lack of memory or threads: a bad or missing
 * policy or database is told through `say` and worked without. conf moves into the runtime. */
enum sek_err sek_runtime_start(struct sek_conf *conf, unsigned n_workers, const char *unbound,
                               const struct sek_runtime_hooks *hooks, struct sek_runtime **out,
                               struct sek_diag *diag);
/* Joins all threads, stores what is pending. NULL is fine. */
void sek_runtime_stop(struct sek_runtime *rt);
/* With `own_descriptors`: give the lines that wait to `say`, on a thread of the host's. The start,
 * the stop and sek_worker_record() do it by themselves: a change that comes while nobody asks is
 * told with the next query. */
void sek_runtime_tell(struct sek_runtime *rt);
const struct sek_conf *sek_runtime_conf(const struct sek_runtime *rt);

/* --- workers: no wait, no allocation, no system call -------------------------------------------
 * (but where a change of state waits to be told: sek_runtime_tell())
 */

/* Judge a name with the policy in force. endpoint: who asks; NULL: anybody. qtype: the question's;
 * 0: any (verdict/engine.h). Without any policy: pass, or REFUSED-like STRICT verdict when the
 * configuration says so (trigger STRICT, action SEK_ACTION_REFUSED; the host answers SERVFAIL). */
void sek_worker_decide(struct sek_runtime *rt, unsigned worker, const struct sek_asking *asking,
                       const struct sek_name *name, enum sek_trigger trigger, int64_t now_s,
                       struct sek_verdict *out);
/* Judge an address or a server's name that an answer carries (verdict/engine.h). */
void sek_worker_decide_address(struct sek_runtime *rt, unsigned worker,
                               const struct sek_asking *asking, const struct sek_name *question,
                               enum sek_trigger trigger, const struct sek_addr *addr, int64_t now_s,
                               struct sek_verdict *out, struct sek_name *out_matched);
void sek_worker_decide_server(struct sek_runtime *rt, unsigned worker,
                              const struct sek_asking *asking, const struct sek_name *question,
                              const struct sek_name *server, int64_t now_s, struct sek_verdict *out,
                              struct sek_name *out_matched);
/* The owner name of the regular expression that decided (policy/pattern.h). False: none did, or its
 * policy is not in force any more. */
bool sek_worker_pattern(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                        struct sek_name *out);
/* What the policy in force wants to know beside names: SEK_LOOKS_… (verdict/engine.h). */
unsigned sek_runtime_looks(const struct sek_runtime *rt);
/* May verdicts differ between endpoints? */
bool sek_runtime_has_groups(const struct sek_runtime *rt);
/* The verdict on a question, remembered: one query asks for it when it comes, when a response is to
 * be stored and when its answer leaves. */
struct sek_judged {
    uint64_t epoch; /* of the policies at the time; 0: no verdict yet, the rest is not looked at */
    int64_t now_s;
    struct sek_verdict verdict;
};
/* Judge one endpoint's question as sek_worker_decide does, but only if the verdict can differ from
 * the remembered one: another policy came into force since, or the clock shows another second
 * (rules end by the second). */
void sek_worker_decide_once(struct sek_runtime *rt, unsigned worker,
                            const struct sek_asking *asking, const struct sek_name *question,
                            int64_t now_s, struct sek_judged *judged);
/* The same of a question that the cache does not answer, with what the detectors say of it
 * (verdict/detect.h): they are in out only, not in `judged`. */
void sek_worker_question(struct sek_runtime *rt, unsigned worker, const struct sek_asking *asking,
                         const struct sek_name *question, int64_t now_s, struct sek_judged *judged,
                         struct sek_verdict *out);
/* The text that the rule of a verdict has for its EDE; "" where it has none, or the policy is
 * another one by now. Returns out. */
const char *sek_worker_ede_text(struct sek_runtime *rt, unsigned worker,
                                const struct sek_verdict *verdict,
                                char out[SEK_TERMS_EDE_TEXT_MAX]);
/* The records that the rule of a verdict answers with (policy/records.h), copied to out; returns
 * their octets. 0: the policy is another one by now, the question is to be judged again. */
size_t sek_worker_data(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                       uint8_t out[SEK_TERMS_DATA_MAX]);
/* Does somebody keep the addresses of the name's answers? Then events of answers from the cache
 * carry them, too. Some ten ns where no name is tracked, a hash a label where some are. */
bool sek_worker_tracks(const struct sek_runtime *rt, const struct sek_name *name);
/* Is it of interest, for an event's sunk_server, who serves the zones of an answer that was
 * resolved? The number of the sinkhole that a server is of; 0: of none. A few comparisons a label.
 */
bool sek_worker_wants_servers(const struct sek_runtime *rt);
unsigned sek_worker_sunk_server(const struct sek_runtime *rt, const struct sek_name *server);
/* Record a query's end. Fills in nothing: the event is complete (size set). One that is marked
 * unjudged is judged on the collector's thread, some ten milliseconds later. */
void sek_worker_record(struct sek_runtime *rt, unsigned worker, const struct sek_event *event);
/* A cache hit of time_ms (Unix) that the verdict would have blocked: count it and have the cache
 * walked again. Nothing of the kind while a change comes into force, when the cache is being walked
 * anyway. */
void sek_worker_leaked(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                       int64_t time_ms);

/* --- keeper ------------------------------------------------------------------------------------
 */

/* From a purge hook that takes long, now and then: the status page shows that we live. */
void sek_runtime_at_work(struct sek_runtime *rt);

/* For the purge hook: what the policy says now, of anybody, of a cached answer, part by part: first
 * its question (trigger QNAME), then each owner and target of its CNAME and DNAME records (trigger
 * CNAME), then what it carries as far as sek_runtime_looks says. The first answer other than
 * OPEN is final. qtype: as above. Keeper's thread only. */
enum sek_judgement sek_runtime_judge(struct sek_runtime *rt, const struct sek_name *name,
                                     uint16_t qtype, enum sek_trigger trigger);
enum sek_judgement sek_runtime_judge_address(struct sek_runtime *rt,
                                             const struct sek_name *question, uint16_t qtype,
                                             enum sek_trigger trigger, const struct sek_addr *addr);
enum sek_judgement sek_runtime_judge_server(struct sek_runtime *rt, const struct sek_name *question,
                                            uint16_t qtype, const struct sek_name *server);
