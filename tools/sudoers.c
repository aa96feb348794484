/* SPDX-License-Identifier: BSD-3-Clause */
#include "sudoers.h"
#include "command.h"
#include "roles.h"
#include <string.h>
#include "base/banned.h"

#define WIDE 100 /* columns */

static const char head[] =
    "# Roles of sekisho by sudo(8): copy to /etc/sudoers.d/sekisho (root, mode 0440), check it "
    "with\n"
    "# visudo -c. Made by sekisho config --sudoers, with the groups of roles.* in the settings.\n"
    "#\n"
    "# policy.db is root's alone, so everybody who changes policy comes this way; sekisho itself "
    "asks\n"
    "# who he is and what his role may do, and who asked for an exception cannot approve it. So "
    "the\n"
    "# arguments behind a command's words are sekisho's to judge: it refuses --config to all but\n"
    "# admins, opens files at paths of the user's choice with his own rights, and takes options "
    "that\n"
    "# start programs from admins only. That holds where the settings name the groups (roles.*). "
    "Nobody\n"
    "# here gets a shell, or settings of his own: sudo takes SEKISHO_CONF away.\n";

static const struct sek_lookup aliases[] = {
    {SEK_ROLE_VIEWER, "SEKISHO_VIEW"},
    {SEK_ROLE_OPERATOR, "SEKISHO_OPERATE"},
    {SEK_ROLE_APPROVER, "SEKISHO_DECIDE"},
    {0, NULL},
};

struct list {
    struct sek_buf *out;
    size_t column;
};

static void add_item(struct list *l, const char * not, const char *words, const char *arguments)
{
    struct sek_buf item;
    sek_buf_init(&item, 0);
    sek_buf_add_fmt(&item, "%s%s %s%s", not, SEK_PROGRAM, words, arguments);
    if (l->column)
        sek_buf_add_text(l->out, ", ");
    if (l->column == 0 || l->column + item.len > WIDE) {
        sek_buf_add_text(l->out, "\\\n    ");
        l->column = 4;
    }
    sek_buf_add(l->out, item.data ? item.data : "", item.len);
    l->column += item.len + 2;
    sek_buf_fini(&item);
}

/* A command without and with arguments. */
static void add_command(struct list *l, const char * not, const char *words)
{
    add_item(l, not, words, "");
    add_item(l, not, words, " *");
}

/* "findings *" stands for "findings dismiss" too: what needs more than the command is taken out
 * again. sudo minds the last one that fits, so a later alias may put it back. */
static void take_out(struct list *l, const struct sek_command *of, enum sek_role role)
{
    size_t n = strlen(of->words);
    for (const struct sek_command *c = sek_commands; c->words; c++)
        if (strncmp(c->words, of->words, n) == 0 && c->words[n] == ' ' &&
            sek_roles_of_command(c->words) > role)
            add_command(l, "!", c->words);
}

static void add_alias(struct sek_buf *out, enum sek_role role)
{
    struct list l = {.out = out};
    sek_buf_add_fmt(out, "Cmnd_Alias %s = ", sek_lookup_name(aliases, (int)role));
    for (const struct sek_command *c = sek_commands; c->words; c++)
        if (sek_roles_of_command(c->words) == role) {
            add_command(&l, "", c->words);
            take_out(&l, c, role);
        }
    sek_buf_add_text(out, "\n");
}

static void add_group(const struct sek_conf *conf, enum sek_role role, struct sek_buf *out)
{
    const char *name = sek_lookup_name(sek_role_names, (int)role);
    if (*conf->roles[role])
        sek_buf_add_fmt(out, "%%%s ALL = (root) ", conf->roles[role]);
    else
        sek_buf_add_fmt(out, "%%sekisho-%s ALL = (root) ", name);
    if (role == SEK_ROLE_ADMIN) {
        sek_buf_add_text(out, SEK_PROGRAM "\n");
        return;
    }
    sek_buf_add_text(out, "NOPASSWD: ");
    for (int r = 0; r <= (int)role; r++)
        sek_buf_add_fmt(out, "%s%s", r ? ", " : "", sek_lookup_name(aliases, r));
    sek_buf_add_text(out, "\n");
}

void sek_sudoers_print(const struct sek_conf *conf, struct sek_buf *out)
{
    sek_buf_add_text(out, head);
    sek_buf_add_text(out, "Defaults!" SEK_PROGRAM " env_reset, !setenv, "
                          "secure_path=\"/usr/sbin:/usr/bin:/sbin:/bin\"\n\n");
    for (int role = SEK_ROLE_VIEWER; role < SEK_ROLE_ADMIN; role++)
        add_alias(out, (enum sek_role)role);
    sek_buf_add_text(out, "\n");
    for (int role = SEK_ROLE_VIEWER; role <= SEK_ROLE_ADMIN; role++)
        add_group(conf, (enum sek_role)role, out);
}
