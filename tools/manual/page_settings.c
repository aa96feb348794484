/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/options.h"
#include "pages.h"
#include "roff.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* How values of a kind are written. */
static const struct {
    enum sek_opt_kind kind;
    const char *word, *help;
} kinds[] = {
    {SEK_OPT_UINT, "number", "A whole number in decimal: 16."},
    {SEK_OPT_REAL, "decimal", "A number with or without decimals: 4.25."},
    {SEK_OPT_SIZE, "size", "Octets, with k, m, g or t for powers of 1024: 64m."},
    {SEK_OPT_DURATION, "duration",
     "A number with s, m, h, d or w for seconds, minutes, hours, days or weeks: 30d."},
    {SEK_OPT_BOOL, "switch", "yes or no."},
    {SEK_OPT_CHOICE, "word", "One of the words that the setting names."},
    {SEK_OPT_TEXT, "text", "Any text; in quotes where YAML would read it otherwise."},
    {SEK_OPT_NAME, "name", "A domain name."},
    {SEK_OPT_PATH, "path", "An absolute path."},
    {SEK_OPT_ADDR4, "IPv4 address", "An address in dotted decimal."},
    {SEK_OPT_ADDR6, "IPv6 address", "An address in quotes, as it has colons."},
    {SEK_OPT_NAMES, "names",
     "A YAML list of domain names in list notation (sekisho-lists(5)): the name and all below, "
     "=name alone."},
};

static const char *kind_word(enum sek_opt_kind kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind)
            return kinds[i].word;
    return "value";
}

static void notation(void)
{
    puts(".SH NOTATION");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        sek_roff_tag(kinds[i].word);
        sek_roff_line(kinds[i].help);
    }
}

static void setting(const struct sek_option *o)
{
    char allowed[SEK_OPTION_ALLOWED_MAX];
    sek_roff_tag(strchr(o->key, '.') + 1);
    sek_roff_line(o->help);
    puts(".br");
    fputs("Kind: ", stdout);
    sek_roff_line(kind_word(o->kind));
    puts(".br");
    fputs("Allowed: ", stdout);
    sek_roff_line(sek_option_allowed(o, allowed, sizeof allowed));
    puts(".br");
    fputs("Default: ", stdout);
    sek_roff_line(*o->fallback ? o->fallback : "none");
}

static void settings(void)
{
    const char *group = "";
    size_t len = 0;
    puts(".SH SETTINGS");
    for (const struct sek_option *o = sek_options; o->key; o++) {
        size_t n = strcspn(o->key, ".");
        if (n != len || strncmp(group, o->key, n) != 0) {
            char text[64];
            group = o->key;
            len = n;
            snprintf(text, sizeof text, "%.*s:", (int)n, group);
            sek_roff_macro(".SS", text);
        }
        setting(o);
    }
}

void sek_page_settings(void)
{
    puts(".\\\" Printed by: sekisho manual settings\n"
         ".TH SEKISHO.YAML 5 \"\" \"sekisho " SEK_VERSION "\" \"File formats\"\n"
         ".nh\n.ad l\n"
         ".SH NAME\nsekisho.yaml \\- settings of the Sekisho module for Unbound and its command\n"
         ".SH SYNOPSIS\n.B " SEK_CONF_PATH "\n.SH DESCRIPTION");
    sek_roff_line(
        "The settings file is YAML 1.1: groups of keys, each group once. The module and the "
        "command "
        "read the same file with the same code. A key that is not named keeps its default; without "
        "a file all do. Unknown keys, keys named twice and values out of range are errors, which "
        "name the file, the line and what is allowed.");
    sek_roff_block("answer:\n  ipv4: 192.0.2.66\n  ttl: 30s\nevents:\n  retention: 30d\n"
                   "policy:\n  never-block: [corp.example, =host.example]\n");
    puts(".PP");
    sek_roff_line(
        "The module reads it when Unbound starts and when it reloads (unbound-control reload). "
        "With "
        "an erroneous file it goes on as if there were none, and says so; sekisho check "
        "--settings-only examines a file before it is used. sekisho config --show prints what is "
        "in force, sekisho config --sample a commented file with the defaults, sekisho config get "
        "KEY one value. A setting is called by its group and key: answer.ttl.");
    notation();
    settings();
    puts(".SH FILES\n.TP\n.B " SEK_CONF_PATH "\nwhere neither \\-\\-config nor SEKISHO_CONF names "
         "another");
    puts(".SH SEE ALSO\n.BR sekisho (8),\n.BR sekisho\\-lists (5),\n.BR sekisho\\-tuning (7),\n"
         ".BR unbound.conf (5)");
}
