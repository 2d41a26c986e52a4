#ifndef KEYTURN_CSYSTEMD_H
#define KEYTURN_CSYSTEMD_H
/* The sd_journal_* names are macros that add the caller's source location; Swift wants the plain functions. */
#define SD_JOURNAL_SUPPRESS_LOCATION 1
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#endif
