/* SPDX-License-Identifier: BSD-3-Clause */
#include "roff.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* Backslash and minus are special anywhere, dot and apostrophe at a line's start. */
void sek_roff(const char *text, size_t len)
{
    bool start = true;
    for (size_t i = 0; i < len; i++) {
        char ch = text[i];
        if (start && (ch == '.' || ch == '\''))
            fputs("\\&", stdout);
        start = ch == '\n';
        if (ch == '\\')
            fputs("\\e", stdout);
        else if (ch == '-')
            fputs("\\-", stdout);
        else
            putchar(ch);
    }
}

void sek_roff_macro(const char *name, const char *text)
{
    printf("%s ", name);
    sek_roff(text, strlen(text));
    putchar('\n');
}

void sek_roff_line(const char *text)
{
    sek_roff(text, strlen(text));
    putchar('\n');
}

void sek_roff_tag(const char *tag)
{
    puts(".TP");
    sek_roff_macro(".B", tag);
}

void sek_roff_block(const char *lines)
{
    puts(".PP\n.RS\n.nf");
    sek_roff(lines, strlen(lines));
    puts(".fi\n.RE");
}
