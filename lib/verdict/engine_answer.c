/* SPDX-License-Identifier: BSD-3-Clause */
/* What an answer carries: addresses, and the servers of its zone. */
#include "name/special.h"
#include "verdict/rulewalk.h"
#include "base/banned.h"

/* --- what an answer carries
 * ---------------------------------------------------------------------- */

unsigned sek_engine_looks(const struct sek_engine *engine)
{
    const struct sek_nets *nets = engine->policy ? sek_policy_nets(engine->policy) : NULL;
    unsigned looks = 0;
    if (engine->rebinding != SEK_MODE_OFF)
        looks |= SEK_LOOKS_ADDRESSES;
    if (engine->policy && (sek_policy_endpoints(engine->policy) ||
                           sek_policy_acts(engine->policy, SEK_ACTION_TCP_ONLY)))
        looks |= SEK_LOOKS_ENDPOINTS;
    if (engine->policy && sek_policy_places(engine->policy))
        looks |= SEK_LOOKS_ADDRESSES;
    if (!nets)
        return looks;
    if (sek_nets_count(nets, SEK_ABOUT_CLIENT_IP))
        looks |= SEK_LOOKS_ENDPOINTS;
    if (sek_nets_count(nets, SEK_ABOUT_RESPONSE_IP) || sek_nets_count(nets, SEK_ABOUT_SINKHOLED))
        looks |= SEK_LOOKS_ADDRESSES;
    if (sek_nets_count(nets, SEK_ABOUT_NSDNAME))
        looks |= SEK_LOOKS_SERVERS;
    if (sek_nets_count(nets, SEK_ABOUT_NSIP))
        looks |= SEK_LOOKS_SERVER_ADDRESSES;
    return looks;
}

struct carried {
    const struct sek_engine *engine;
    struct sek__asker who;
    struct sek_verdict *out;
    struct sek_name *out_matched;
    sek_walk_fn *walk;
    void *arg;
};

static void decide_by_net(struct carried *c, enum sek_about about, enum sek_trigger trigger,
                          const struct sek_addr *addr)
{
    const struct sek_nets *nets = sek_policy_nets(c->engine->policy);
    struct sek_met met[SEK_NETS_MET_MAX];
    struct sek_verdict v;
    if (sek__verdict_is_final(c->out) || !nets || sek_nets_count(nets, about) == 0)
        return;
    unsigned n = sek_nets_lookup(nets, about, addr, met);
    if (n == 0)
        return;
    sek__verdict_clear(&v);
    sek__decide_by_met(&c->who, c->engine->policy, met, n, trigger, &v, c->walk, c->arg);
    if (!sek__verdict_is_final(&v) &&
        (v.trigger == SEK_TRIGGER_NONE || c->out->trigger != SEK_TRIGGER_NONE))
        return; /* only recorded, and something else is already */
    struct sek_net net = sek_nets_met_net(addr, v.depth);
    sek_about_from_net(about, &net, c->out_matched);
    v.scope = SEK_SCOPE_EXACT;
    v.depth = 0;
    v.generation = c->out->generation;
    *c->out = v;
}

/* The rules at the owner name of a place. */
static void decide_by_place(struct carried *c, const struct sek_name *owner,
                            enum sek_trigger trigger)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_verdict v;
    struct sek__owned owned = {c->walk, c->arg, owner};
    if (sek__verdict_is_final(c->out) || sek_policy_lookup(c->engine->policy, owner, met) == 0 ||
        met[0].depth != 0)
        return;
    sek__verdict_clear(&v);
    sek__decide_by_met(&c->who, c->engine->policy, met, 1, trigger, &v,
                       c->walk ? sek__owned_tell : NULL, &owned);
    if (!sek__verdict_is_final(&v) &&
        (v.trigger == SEK_TRIGGER_NONE || c->out->trigger != SEK_TRIGGER_NONE))
        return;
    v.generation = c->out->generation;
    *c->out_matched = *owner;
    *c->out = v;
}

/* Where the address is, as far as the databases know. */
static void decide_by_places(struct carried *c, const struct sek_addr *addr)
{
    const struct sek_image_places *places = sek_policy_places(c->engine->policy);
    struct sek_name owner;
    char country[3];
    uint32_t asn = places && places->n_asn ? sek_geo_asn(c->engine->geo, addr) : 0;
    if (asn) {
        sek_about_from_asn(asn, &owner);
        decide_by_place(c, &owner, SEK_TRIGGER_ASN);
    }
    if (!places || places->n_country == 0 || sek__verdict_is_final(c->out))
        return;
    sek_geo_country(c->engine->geo, addr, country);
    if (*country) {
        sek_about_from_country(country, &owner);
        decide_by_place(c, &owner, SEK_TRIGGER_COUNTRY);
    }
}

/* Public names have no addresses that only lead somewhere inside: a page from outside could reach
 * there through the browser (DNS rebinding). */
static void decide_by_rebinding(struct carried *c, const struct sek_name *question,
                                const struct sek_addr *addr)
{
    const struct sek_engine *engine = c->engine;
    if (engine->rebinding == SEK_MODE_OFF || sek__verdict_is_final(c->out) ||
        !sek_addr_is_private(addr) ||
        (engine->rebinding == SEK_MODE_MONITOR && c->out->trigger != SEK_TRIGGER_NONE) ||
        sek_name_is_special(question) || sek__is_own(engine->rebinding_exclude, question))
        return;
    const struct sek_net net = {.addr = *addr, .bits = 128};
    sek_about_from_net(SEK_ABOUT_RESPONSE_IP, &net, c->out_matched);
    sek__verdict_set(c->out, SEK_TRIGGER_REBINDING, SEK_ACTION_NODATA, SEK_SCOPE_EXACT, 0,
                     sek_lookup_name(sek_trigger_names, SEK_TRIGGER_REBINDING));
    c->out->monitor = engine->rebinding == SEK_MODE_MONITOR;
    if (c->out->monitor)
        c->out->action = SEK_ACTION_PASSTHRU;
}

static void decide_address(struct carried *c, const struct sek_name *question,
                           enum sek_trigger trigger, const struct sek_addr *addr)
{
    bool policy = c->engine->policy != NULL;
    if (trigger == SEK_TRIGGER_NSIP) {
        if (policy)
            decide_by_net(c, SEK_ABOUT_NSIP, trigger, addr);
        return;
    }
    if (policy)
        decide_by_net(c, SEK_ABOUT_RESPONSE_IP, SEK_TRIGGER_RESPONSE_IP, addr);
    if (policy)
        decide_by_places(c, addr);
    if (policy)
        decide_by_net(c, SEK_ABOUT_SINKHOLED, SEK_TRIGGER_SINKHOLED, addr);
    decide_by_rebinding(c, question, addr);
}

static struct carried carried_of(const struct sek_engine *engine, const struct sek_name *question,
                                 int64_t now_s, struct sek_verdict *out,
                                 struct sek_name *out_matched, sek_walk_fn *walk, void *arg)
{
    sek__verdict_clear(out);
    struct carried c = {.engine = engine,
                        .who = sek__asker_of(engine, question, now_s),
                        .out = out,
                        .out_matched = out_matched,
                        .walk = walk,
                        .arg = arg};
    if (engine->policy)
        out->generation = sek_policy_generation(engine->policy);
    return c;
}

/* Asked last, as it costs more than the rest and hardly any address gets there. */
static void spare_own(const struct sek_engine *engine, const struct sek_name *question,
                      struct sek_verdict *out)
{
    uint64_t generation = out->generation;
    if (out->trigger == SEK_TRIGGER_NONE || !sek__is_own(engine->own, question))
        return;
    sek__verdict_clear(out);
    out->generation = generation;
}

void sek_engine_decide_address(const struct sek_engine *engine, const struct sek_name *question,
                               enum sek_trigger trigger, const struct sek_addr *addr, int64_t now_s,
                               struct sek_verdict *out, struct sek_name *out_matched,
                               sek_walk_fn *walk, void *arg)
{
    struct carried c = carried_of(engine, question, now_s, out, out_matched, walk, arg);
    struct sek_addr inner;
    decide_address(&c, question, trigger, addr);
    if (sek_addr_from_nat64(addr, &inner))
        decide_address(&c, question, trigger, &inner);
    spare_own(engine, question, out);
}

void sek_engine_decide_net(const struct sek_engine *engine, enum sek_about about,
                           const struct sek_net *net, int64_t now_s, struct sek_verdict *out,
                           sek_walk_fn *walk, void *arg)
{
    static const enum sek_trigger triggers[SEK_ABOUT_MAX + 1] = {
        [SEK_ABOUT_RESPONSE_IP] = SEK_TRIGGER_RESPONSE_IP,
        [SEK_ABOUT_CLIENT_IP] = SEK_TRIGGER_CLIENT_IP,
        [SEK_ABOUT_NSIP] = SEK_TRIGGER_NSIP,
        [SEK_ABOUT_SINKHOLED] = SEK_TRIGGER_SINKHOLED};
    const struct sek_nets *nets = engine->policy ? sek_policy_nets(engine->policy) : NULL;
    struct sek_met met[SEK_NETS_MET_MAX];
    struct carried c = carried_of(engine, NULL, now_s, out, NULL, NULL, NULL);
    unsigned first = 0, n = nets ? sek_nets_lookup(nets, about, &net->addr, met) : 0;
    while (first < n && met[first].depth < 128U - net->bits)
        first++;
    sek__decide_by_met(&c.who, engine->policy, met + first, n - first, triggers[about], out, walk,
                       arg);
    out->depth = 0;
}

void sek_engine_decide_server(const struct sek_engine *engine, const struct sek_name *question,
                              const struct sek_name *server, int64_t now_s, struct sek_verdict *out,
                              struct sek_name *out_matched, sek_walk_fn *walk, void *arg)
{
    struct carried c = carried_of(engine, question, now_s, out, out_matched, walk, arg);
    struct sek_met met[SEK_LABELS_MAX + 1];
    if (!engine->policy || !sek_about_from_server(server, out_matched))
        return;
    unsigned n = sek_policy_lookup(engine->policy, out_matched, met);
    while (n > 0 && met[n - 1].depth == out_matched->n_labels)
        n--; /* a rule about all names is not about servers */
    if (n == 0)
        return;
    sek__decide_by_met(&c.who, engine->policy, met, n, SEK_TRIGGER_NSDNAME, out, walk, arg);
    spare_own(engine, question, out);
}
