/* SPDX-License-Identifier: BSD-3-Clause */
#include "carried.h"
#include "name/svcb.h"
#include "view.h"
#include <string.h>

#define SERVERS_MAX 16   /* of a zone; more are rare (13 fill a datagram of old) */
#define ADDRESSES_MAX 16 /* of a server and family */
#define ALIASES_MAX 8    /* names on the way whose zones are looked at */

static bool is_of_type(const struct ub_packed_rrset_key *rrset, uint16_t type)
{
    return rrset->rk.type == htons(type);
}

/* Two octets of length stand before record data. */
bool sek_carried_addresses(const struct ub_packed_rrset_key *rrset, sek_address_fn *fn, void *arg)
{
    const struct packed_rrset_data *data = rrset->entry.data;
    size_t n = is_of_type(rrset, LDNS_RR_TYPE_A)      ? 4
               : is_of_type(rrset, LDNS_RR_TYPE_AAAA) ? 16
                                                      : 0;
    bool hints = is_of_type(rrset, LDNS_RR_TYPE_SVCB) || is_of_type(rrset, LDNS_RR_TYPE_HTTPS);
    for (size_t i = 0; (n || hints) && data && i < data->count; i++) {
        struct sek_addr addr = {.octets = {[10] = 0xff, [11] = 0xff}};
        const uint8_t *rdata = data->rr_data[i] + 2;
        if (hints && data->rr_len[i] > 2 && !sek_svcb_hints(rdata, data->rr_len[i] - 2, fn, arg))
            return false;
        if (!n || data->rr_len[i] != 2 + n)
            continue;
        memcpy(addr.octets + 16 - n, rdata, n);
        if (!fn(arg, &addr))
            return false;
    }
    return true;
}

/* --- servers ------------------------------------------------------------------------------------
 * An rrset's lock is never held while another one is looked for: whoever makes room in the cache
 * holds the table and waits for such a lock. So everything is copied first. */

struct addresses {
    struct sek_addr item[ADDRESSES_MAX];
    unsigned n;
};

static bool address_note(void *arg, const struct sek_addr *addr)
{
    struct addresses *all = arg;
    all->item[all->n++] = *addr;
    return all->n < ADDRESSES_MAX;
}

static bool server_addresses(struct module_env *env, struct sek_name *server, uint16_t type,
                             time_t now_s, const struct sek_servers *to)
{
    struct addresses found = {.n = 0};
    struct ub_packed_rrset_key *rrset = rrset_cache_lookup(
        env->rrset_cache, server->octets, server->len, type, LDNS_RR_CLASS_IN, 0, now_s, 0);
    if (!rrset)
        return true;
    sek_carried_addresses(rrset, address_note, &found);
    lock_rw_unlock(&rrset->entry.lock);
    for (unsigned i = 0; i < found.n; i++)
        if (!to->address(to->arg, &found.item[i]))
            return false;
    return true;
}

struct servers {
    struct sek_name item[SERVERS_MAX];
    unsigned n;
};

static void servers_note(struct servers *all, const struct ub_packed_rrset_key *ns)
{
    const struct packed_rrset_data *data = ns->entry.data;
    for (size_t i = 0; data && i < data->count && all->n < SERVERS_MAX; i++)
        if (data->rr_len[i] > 2 && sek_name_from_wire(data->rr_data[i] + 2, data->rr_len[i] - 2,
                                                      &all->item[all->n]) == SEK_OK)
            all->n++;
}

static bool servers_tell(struct module_env *env, struct servers *all, time_t now_s,
                         const struct sek_servers *to)
{
    for (unsigned i = 0; i < all->n; i++) {
        if (!to->name(to->arg, &all->item[i]))
            return false;
        if (to->address && (!server_addresses(env, &all->item[i], LDNS_RR_TYPE_A, now_s, to) ||
                            !server_addresses(env, &all->item[i], LDNS_RR_TYPE_AAAA, now_s, to)))
            return false;
    }
    return true;
}

bool sek_carried_servers(struct module_env *env, const struct sek_name *name, time_t now_s,
                         const struct sek_servers *to)
{
    struct servers all;
    struct sek_name zone;
    for (unsigned k = 0; k + 1U < name->n_labels; k++) {
        sek_name_parent(name, k, &zone);
        struct ub_packed_rrset_key *ns =
            rrset_cache_lookup(env->rrset_cache, zone.octets, zone.len, LDNS_RR_TYPE_NS,
                               LDNS_RR_CLASS_IN, 0, now_s, 0);
        if (!ns)
            continue;
        all.n = 0;
        servers_note(&all, ns);
        lock_rw_unlock(&ns->entry.lock);
        if (!servers_tell(env, &all, now_s, to))
            return false;
    }
    return true;
}

struct sunk {
    const struct sek_runtime *rt;
    unsigned row;
};

static bool sunk_note(void *arg, const struct sek_name *server)
{
    struct sunk *s = arg;
    s->row = sek_worker_sunk_server(s->rt, server);
    return s->row == 0;
}

/* Each look at the cache costs as much as all else here: a host's own name is a zone only where a
 * response has just said so. */
uint16_t sek_carried_sunk_server(struct sek_runtime *rt, struct module_env *env,
                                 const struct sek_name *question, bool zones_seen)
{
    struct sunk s = {rt, 0};
    struct sek_name from;
    const struct sek_servers to = {&s, sunk_note, NULL};
    if (!sek_worker_wants_servers(rt))
        return 0;
    sek_name_parent(question, question->n_labels > 2 && !zones_seen, &from);
    sek_carried_servers(env, &from, *env->now, &to);
    return (uint16_t)s.row;
}

/* --- an answer ----------------------------------------------------------------------------------
 */

static bool answer_address(void *arg, const struct sek_addr *addr)
{
    return sek_chain_address(arg, SEK_TRIGGER_RESPONSE_IP, addr);
}

static bool server_name(void *arg, const struct sek_name *server)
{
    return sek_chain_server(arg, server);
}

static bool server_address(void *arg, const struct sek_addr *addr)
{
    return sek_chain_address(arg, SEK_TRIGGER_NSIP, addr);
}

struct aliases {
    struct sek_name item[ALIASES_MAX];
    unsigned n;
};

static bool alias_note(void *arg, const struct sek_name *name)
{
    struct aliases *all = arg;
    for (unsigned i = 0; i < all->n; i++)
        if (sek_name_equal(all->item[i].octets, all->item[i].len, name->octets, name->len))
            return true;
    all->item[all->n++] = *name;
    return all->n < ALIASES_MAX;
}

/* Those that the reply itself names, then those of the zones of all names on the way; at: of this
 * name alone. */
static bool judge_servers(struct sek_chain *chain, const struct reply_info *rep, unsigned looks,
                          struct module_env *env, const struct sek_name *at)
{
    const struct sek_servers to = {chain, server_name,
                                   looks & SEK_LOOKS_SERVER_ADDRESSES ? server_address : NULL};
    struct servers named = {.n = 0};
    struct aliases way = {.n = 1};
    for (size_t i = rep->an_numrrsets; !at && i < rep->an_numrrsets + rep->ns_numrrsets; i++)
        if (is_of_type(rep->rrsets[i], LDNS_RR_TYPE_NS) &&
            dname_count_labels(rep->rrsets[i]->rk.dname) > 2) /* its root counts */
            servers_note(&named, rep->rrsets[i]);
    if (!servers_tell(env, &named, *env->now, &to))
        return false;
    way.item[0] = at ? *at : *chain->question;
    if (!at)
        sek_view_chain(rep, alias_note, &way);
    for (unsigned i = 0; i < way.n; i++)
        if (!sek_carried_servers(env, &way.item[i], *env->now, &to))
            return false;
    return true;
}

static bool is_of_name(const struct ub_packed_rrset_key *rrset, const struct sek_name *name)
{
    return query_dname_compare(rrset->rk.dname, (uint8_t *)name->octets) == 0;
}

/* at: of this name alone, as some name blocks already and only an earlier policy zone has a say;
 * NULL: all. */
static void judge_carried(struct sek_chain *chain, const struct reply_info *rep,
                          struct module_env *env, const struct sek_name *at)
{
    const unsigned servers = SEK_LOOKS_SERVERS | SEK_LOOKS_SERVER_ADDRESSES;
    unsigned looks = sek_runtime_looks(chain->rt);
    bool open = true;
    for (size_t i = 0; open && (looks & SEK_LOOKS_ADDRESSES) && i < rep->an_numrrsets; i++)
        if (!at || is_of_name(rep->rrsets[i], at))
            open = sek_carried_addresses(rep->rrsets[i], answer_address, chain);
    if (open && (looks & servers) && env)
        judge_servers(chain, rep, looks, env, at);
}

enum sek_judgement sek_carried_judge(struct sek_chain *chain, const struct reply_info *rep,
                                     uint16_t qtype, struct module_env *env,
                                     enum sek_judgement question)
{
    struct sek_name at;
    if (!rep || sek_chain_is_final(chain))
        return question;
    if (question == SEK_JUDGED_OPEN &&
        (!sek_view_has_chain(rep, qtype) || sek_view_chain(rep, sek_chain_next, chain))) {
        judge_carried(chain, rep, env, NULL);
    } else if (!sek_chain_is_final(chain)) {
        at = *sek_chain_position(chain);
        judge_carried(chain, rep, env, &at);
    }
    return sek_judgement_of(&chain->verdict);
}
