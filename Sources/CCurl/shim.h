#ifndef KEYTURN_CCURL_H
#define KEYTURN_CCURL_H
/* The options are no constants in the shims below, so curl's compile-time check of their types has nothing to check. */
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

/* Swift cannot call variadic C functions. One shim for each kind of argument; curl/options.h says which option takes which,
 * and nothing but the reader checks it: a wrong pair is undefined behaviour. */

static inline CURLcode keyturn_setopt_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode keyturn_setopt_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

/* curl copies the text, whatever the option. */
static inline CURLcode keyturn_setopt_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

/* curl keeps the pointer: what it points to must outlive the transfer. */
static inline CURLcode keyturn_setopt_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode keyturn_setopt_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

/* For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION. */
static inline CURLcode keyturn_setopt_writer(CURL *easy, CURLoption option, curl_write_callback value) {
    return curl_easy_setopt(easy, option, value);
}

/* For CURLOPT_READFUNCTION. */
static inline CURLcode keyturn_setopt_reader(CURL *easy, CURLoption option, curl_read_callback value) {
    return curl_easy_setopt(easy, option, value);
}

/* For CURLOPT_OPENSOCKETFUNCTION. */
static inline CURLcode keyturn_setopt_opener(CURL *easy, CURLoption option, curl_opensocket_callback value) {
    return curl_easy_setopt(easy, option, value);
}

/* For CURLOPT_XFERINFOFUNCTION. */
static inline CURLcode keyturn_setopt_progress(CURL *easy, CURLoption option, curl_xferinfo_callback value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode keyturn_getinfo_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode keyturn_getinfo_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode keyturn_getinfo_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode keyturn_multi_setopt_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

#endif
