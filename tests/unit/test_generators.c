/* SPDX-License-Identifier: BSD-3-Clause */
/* Series of names through the shipped model and the evidence, as an endpoint asks for them:
 * generators written here are found within 40 names among benign ones; benign series are not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/evidence.h"
#include "name/text.h"
#include <stdio.h>
#include <string.h>

#define SEED 0x5eed2026u
#define STEP_MS 20000 /* between two names */

static struct sek_classify *model;
static uint64_t state_of_random;

static uint32_t below(uint32_t n)
{
    state_of_random = state_of_random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state_of_random >> 33) % n;
}

/* What people ask for; all well known. */
static const char *const popular[] = {
    "wikipedia.org",    "github.com",        "debian.org",        "kernel.org",
    "python.org",       "mozilla.org",       "openstreetmap.org", "archive.org",
    "gnu.org",          "postgresql.org",    "sqlite.org",        "apache.org",
    "nginx.org",        "ubuntu.com",        "fedoraproject.org", "stackoverflow.com",
    "bbc.co.uk",        "theguardian.com",   "nytimes.com",       "lemonde.fr",
    "elpais.com",       "spiegel.de",        "heise.de",          "tagesschau.de",
    "zeit.de",          "bahn.de",           "deutschepost.de",   "sncf-connect.com",
    "sbb.ch",           "admin.ch",          "europa.eu",         "who.int",
    "un.org",           "nasa.gov",          "nih.gov",           "cdc.gov",
    "weather.gov",      "amazon.com",        "ebay.com",          "etsy.com",
    "ikea.com",         "zalando.de",        "booking.com",       "airbnb.com",
    "expedia.com",      "tripadvisor.com",   "lufthansa.com",     "klm.com",
    "ryanair.com",      "paypal.com",        "visa.com",          "mastercard.com",
    "hsbc.com",         "barclays.co.uk",    "sparkasse.de",      "microsoft.com",
    "office.com",       "outlook.com",       "apple.com",         "icloud.com",
    "google.com",       "youtube.com",       "gmail.com",         "android.com",
    "samsung.com",      "sony.com",          "nintendo.com",      "steampowered.com",
    "twitch.tv",        "netflix.com",       "spotify.com",       "soundcloud.com",
    "vimeo.com",        "dropbox.com",       "slack.com",         "zoom.us",
    "atlassian.com",    "salesforce.com",    "oracle.com",        "intel.com",
    "nvidia.com",       "amd.com",           "lenovo.com",        "dell.com",
    "cisco.com",        "cloudflare.com",    "akamai.com",        "fastly.com",
    "digitalocean.com", "ovhcloud.com",      "hetzner.com",       "reddit.com",
    "tumblr.com",       "pinterest.com",     "linkedin.com",      "facebook.com",
    "instagram.com",    "whatsapp.com",      "telegram.org",      "signal.org",
    "mastodon.social",  "duckduckgo.com",    "yahoo.co.jp",       "rakuten.co.jp",
    "baidu.com",        "alibaba.com",       "naver.com",         "mercadolibre.com.ar",
    "globo.com",        "uol.com.br",        "harvard.edu",       "stanford.edu",
    "cambridge.org",    "ox.ac.uk",          "ethz.ch",           "springer.com",
    "nature.com",       "sciencedirect.com", "arxiv.org",         "wordpress.com",
    "blogger.com",      "medium.com",        "imdb.com",          "rottentomatoes.com",
    "goodreads.com",    "allrecipes.com",    "marmiton.org",      "chefkoch.de",
    "accuweather.com",  "weather.com",       "espn.com",          "uefa.com",
    "fifa.com",         "marca.com",         "gazzetta.it",       "corriere.it",
    "repubblica.it",    "allegro.pl",        "onet.pl",           "seznam.cz",
    "telekom.de",       "vodafone.com",      "orange.fr",         "leboncoin.fr",
    "marktplaats.nl",
};
#define N_POPULAR (sizeof(popular) / sizeof(*popular))

static const char *const words[] = {
    "river",   "stone",   "garden", "winter", "summer", "bridge", "silver", "golden",
    "paper",   "window",  "market", "castle", "forest", "island", "letter", "master",
    "mother",  "father",  "number", "people", "person", "planet", "pocket", "prince",
    "purple",  "rabbit",  "record", "school", "season", "shadow", "simple", "single",
    "sister",  "spring",  "square", "street", "strong", "system", "travel", "valley",
    "village", "weather", "wonder", "yellow", "answer", "basket", "branch", "button",
    "camera",  "candle",  "corner", "cotton", "degree", "desert", "dinner", "doctor",
    "dragon",  "effort",  "engine", "family", "farmer", "finger", "flower", "friend",
};
#define N_WORDS (sizeof(words) / sizeof(*words))

static void random_letters(char *out, const char *of, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        out[i] = of[below((uint32_t)strlen(of))];
    out[n] = '\0';
}

static void make_uniform(char *out)
{
    random_letters(out, "abcdefghijklmnopqrstuvwxyz", 10 + below(8));
    strcat(out, below(2) ? ".com" : ".info");
}

static void make_hex(char *out)
{
    random_letters(out, "0123456789abcdef", 16);
    strcat(out, ".net");
}

static void make_alphanumeric(char *out)
{
    random_letters(out, "abcdefghijklmnopqrstuvwxyz0123456789", 14);
    strcat(out, ".biz");
}

static void make_pronounceable(char *out)
{
    unsigned n = 4 + below(3);

    for (unsigned i = 0; i < n; i++) {
        out[2 * i] = "bcdfghjklmnprstvwxz"[below(19)];
        out[2 * i + 1] = "aeiouy"[below(6)];
    }
    strcpy(out + 2 * n, ".eu");
}

static void make_words(char *out)
{
    sprintf(out, "%s%s.net", words[below(N_WORDS)], words[below(N_WORDS)]);
}

static void make_words_in_com(char *out)
{
    sprintf(out, "%s%s.com", words[below(N_WORDS / 2)], words[N_WORDS / 2 + below(N_WORDS / 2)]);
}

/* One slip of the fingers. */
static void misspell(char *out, const char *name)
{
    size_t label = strcspn(name, "."), at = below((uint32_t)label);

    strcpy(out, name);
    switch (below(4)) {
    case 0: /* another letter */
        out[at] = (char)('a' + below(26));
        break;
    case 1: /* one too many */
        memmove(out + at + 1, name + at, strlen(name) + 1 - at);
        break;
    case 2: /* one too few */
        memmove(out + at, name + at + 1, strlen(name) - at);
        break;
    default: /* two swapped */
        if (at + 1 < label) {
            out[at] = name[at + 1];
            out[at + 1] = name[at];
        }
    }
}

static void make_typo(char *out)
{
    misspell(out, popular[below(N_POPULAR)]);
}

/* Names that are looked for around one company's. */
static void make_brand(char *out)
{
    static const char *const around[] = {"login", "shop",   "online", "secure", "mail",  "support",
                                         "bank",  "portal", "store",  "help",   "cloud", "app"};
    static const char *const suffix[] = {"com", "net", "org", "co.uk", "de"};
    char name[64];

    switch (below(3)) {
    case 0:
        sprintf(name, "contosobank.%s", suffix[below(5)]);
        misspell(out, name);
        break;
    case 1:
        sprintf(out, "contosobank%s%s.%s", below(2) ? "-" : "", around[below(12)],
                suffix[below(5)]);
        break;
    default:
        sprintf(out, "%s%scontosobank.%s", around[below(12)], below(2) ? "-" : "",
                suffix[below(5)]);
    }
}

static enum sek_evidence_news ask(struct sek_evidence *e, uint32_t endpoint, const char *text,
                                  bool nxdomain, int64_t time_ms, struct sek_dga *out)
{
    struct sek_addr addr = {{0}};
    struct sek_name name;

    memcpy(addr.octets, &endpoint, sizeof(endpoint));
    if (sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        return SEK_EVIDENCE_NOTHING; /* a misspelling need not be a name */
    struct sek_evidence_item item = {addr, &name, sek_classify_name(model, &name), nxdomain,
                                     time_ms};
    return sek_evidence_add(e, &item, out);
}

static struct sek_evidence *site(void)
{
    struct sek_evidence *e;
    struct sek_dga f;

    state_of_random = SEED;
    assert_int_equal(
        sek_evidence_new(&SEK_EVIDENCE_DEFAULTS, (struct sek_hash_key){3, 4}, &e, NULL), SEK_OK);
    for (unsigned i = 0; i < 2000; i++)
        ask(e, 1, popular[below(N_POPULAR)], false, 0, &f);
    return e;
}

/* Each on 50 endpoints: names of the generator, two benign ones around each, now and then a typo.
 */
static void test_found(void **state)
{
    static const struct {
        const char *label;
        void (*make)(char *out);
        unsigned within;  /* names, by nine endpoints of ten */
        const char *kind; /* NULL: several would do */
    } cases[] = {
        {"uniform letters", make_uniform, 10, NULL},
        {"hex", make_hex, 10, "hexadecimal"},
        {"letters and digits", make_alphanumeric, 10, NULL},
        {"pronounceable", make_pronounceable, 20, NULL},
        {"two words", make_words, 40, NULL},
        {"two words, one list each, .com", make_words_in_com, 40, "word list"},
    };
    (void)state;
    for (unsigned k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct sek_evidence *e = site();
        struct sek_dga f = {0};
        unsigned found = 0, sum = 0;
        char name[256], kind[SEK_DGA_KIND] = "";
        float share = 0;

        for (uint32_t endpoint = 100; endpoint < 150; endpoint++) {
            bool alarm = false;

            for (unsigned i = 1; i <= 60 && !alarm; i++) {
                int64_t now = (int64_t)i * STEP_MS;

                ask(e, endpoint, popular[below(N_POPULAR)], false, now, &f);
                ask(e, endpoint, popular[below(N_POPULAR)], false, now, &f);
                if (below(20) == 0) {
                    make_typo(name);
                    alarm = ask(e, endpoint, name, true, now, &f) == SEK_EVIDENCE_FOUND;
                }
                cases[k].make(name);
                alarm = alarm || ask(e, endpoint, name, true, now, &f) == SEK_EVIDENCE_FOUND;
                if (!alarm)
                    continue;
                found += i <= cases[k].within;
                sum += i;
                sek_dga_kind(&f, model, kind, &share);
                assert_true(f.n_examples > 0);
            }
        }
        printf("%s: %u of 50 within %u names, %.1f on average; %.2f by names, %.2f by words, %.2f "
               "by shape; like %s (%.2f)\n",
               cases[k].label, found, cases[k].within, sum / 50.0, (double)f.names, (double)f.words,
               (double)f.shape, kind, (double)share);
        if (cases[k].kind && strcmp(kind, cases[k].kind) != 0)
            fail_msg("%s: taken for %s", cases[k].label, kind);
        if (found < 45)
            fail_msg("%s: found on %u of 50 endpoints", cases[k].label, found);
        sek_evidence_free(e);
    }
}

/* The one that resolves is named, even when it comes after the alarm. One of words looks like any
 * benign name until there are others to compare it with. */
static void test_resolved(void **state)
{
    static void (*const makers[])(char *) = {make_uniform, make_hex, make_pronounceable,
                                             make_words};
    (void)state;
    for (unsigned k = 0; k < 4; k++)
        for (unsigned when = k < 3 ? 3 : 15; when < 60; when += 22) {
            struct sek_evidence *e = site();
            struct sek_dga f;
            char name[256], wanted[256] = "", got[SEK_NAME_TEXT_MAX] = "";
            struct sek_addr addr = {{7}};

            for (unsigned i = 0; i < 60; i++) {
                ask(e, 7, popular[below(N_POPULAR)], false, i * STEP_MS, &f);
                makers[k](name);
                if (i == when)
                    strcpy(wanted, name);
                ask(e, 7, name, i != when, i * STEP_MS, &f);
            }
            assert_true(sek_evidence_find(e, &addr, &f));
            if (f.resolved.len > 0)
                sek_name_to_text(f.resolved.octets, got);
            if (strcmp(got, wanted) != 0)
                fail_msg("generator %u, resolving name %u: %s instead of %s", k, when, got, wanted);
            sek_evidence_free(e);
        }
}

/* 2,000 endpoints of 120 names each. */
static void test_false_alarms(void **state)
{
    static const struct {
        const char *label;
        void (*make)(char *out);
        unsigned share; /* one of so many does not exist */
    } cases[] = {
        {"typos, 1 of 10", make_typo, 10},
        {"typos, 1 of 3", make_typo, 3},
        {"one company's names, 1 of 3", make_brand, 3},
    };
    (void)state;
    for (unsigned k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct sek_evidence *e = site();
        struct sek_dga f;
        unsigned alarms = 0, names = 0;
        char name[256];

        for (uint32_t endpoint = 1000; endpoint < 3000; endpoint++)
            for (unsigned i = 0; i < 120; i++, names++) {
                bool absent = below(cases[k].share) == 0;

                if (absent)
                    cases[k].make(name);
                else
                    strcpy(name, popular[below(N_POPULAR)]);
                if (ask(e, endpoint, name, absent, i * STEP_MS, &f) == SEK_EVIDENCE_FOUND) {
                    alarms++;
                    if (alarms < 4)
                        printf("  at %u: %.2f by names, %.2f by words, %.2f by shape\n", i,
                               (double)f.names, (double)f.words, (double)f.shape);
                }
            }
        printf("%s: %u false alarms on 2,000 endpoints, %u names (seed %x)\n", cases[k].label,
               alarms, names, SEED);
        if (alarms > 0)
            fail_msg("%s: %u false alarms", cases[k].label, alarms);
        sek_evidence_free(e);
    }
}

static int open_model(void **state)
{
    struct sek_diag diag;

    (void)state;
    return sek_classify_open(SEK_SOURCE_DIR "/policy/model/dga.model", &model, &diag);
}

static int close_model(void **state)
{
    (void)state;
    sek_classify_close(model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_resolved),
        cmocka_unit_test(test_false_alarms),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
