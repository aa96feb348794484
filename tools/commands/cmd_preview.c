/* SPDX-License-Identifier: BSD-3-Clause */
/* preview: a prefix to a command that changes policy. tools/main.c runs that command with the
 * options here in its context, and tools/change/preview.c prints the report in place of what a
 * rehearsal prints. */
#include "tools/change/preview.h"
#include "tools/command.h"
#include "base/banned.h"

SEK_COMMAND(preview);

const struct sek_arg sek_cmd_preview_args[] = {
    [SEK_PREVIEW_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "from then on; default 7d"},
    [SEK_PREVIEW_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N",
                           "at most so many names and endpoints; default 50, 0 = all", NULL, 0,
                           UINT32_MAX - 1},
    [SEK_PREVIEW_N] = {0},
};

/* Without a command behind it. */
enum sek_err sek_cmd_preview(struct sek_context *c)
{
    return sek_context_usage(c, "preview: which change? as in sekisho preview block ads.example");
}
