/* SPDX-License-Identifier: BSD-3-Clause */
/* The manual pages, made from the tables of commands, settings and fields. */
#include "tools/command.h"
#include "tools/manual/pages.h"
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(manual);
const struct sek_arg sek_cmd_manual_args[] = {{0}};

static const struct {
    const char *word;
    void (*print)(void);
} pages[] = {
    {"commands", sek_page_commands},
    {"settings", sek_page_settings},
    {"events", sek_page_events},
};

enum sek_err sek_cmd_manual(struct sek_context *c)
{
    const char *word = c->n_args ? c->args[0] : "commands";
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].word, word) == 0) {
            pages[i].print();
            return SEK_OK;
        }
    return sek_context_usage(c, "\"%.100s\" is none of commands, settings, events", word);
}
