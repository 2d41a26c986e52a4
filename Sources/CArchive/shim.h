#ifndef KEYTURN_CARCHIVE_H
#define KEYTURN_CARCHIVE_H
#include <archive.h>
#include <archive_entry.h>
#endif
