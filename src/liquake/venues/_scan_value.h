/* Reading one value of a frame. Here and not in a file of its own, for a call would cost more than most values do.

   Numbers: a decimal of at most 19 digits whose digits without the point are an integer of at most 2^53, divided by a
   power of ten of at most 10^22, is correctly rounded by one division, since both are doubles exactly (W. D. Clinger,
   How to Read Floating Point Numbers Accurately, 1990). Every other number is refused. */

#ifndef LIQUAKE_SCAN_VALUE_H
#define LIQUAKE_SCAN_VALUE_H

#include "_scan.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 1
#error "a division would be rounded twice here: liquake runs without this extension"
#endif

#define MOST_DIGITS 19
#define MOST_EXACT (UINT64_C(1) << 53)
#define LONGEST_NAME 64

static const double POWERS[MOST_DIGITS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                               1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

typedef struct {
    const char *at;
    const char *end;
    PyObject **names;
} Cursor;

/* What the functions below answer. A failure has set an exception, which only want of memory does. */
typedef enum { FAILED = -1, OTHER = 0, READ = 1 } Answer;

/* Eight bytes at a time: for texts as short as these a call of memcmp costs more than the comparison. */
static inline int
same(const char *one, const char *other, Py_ssize_t length)
{
    for (; length >= 8; length -= 8, one += 8, other += 8) {
        uint64_t first, second;
        memcpy(&first, one, 8);
        memcpy(&second, other, 8);
        if (first != second) {
            return 0;
        }
    }
    while (length > 0 && *one == *other) {
        length--, one++, other++;
    }
    return length == 0;
}

static inline Answer
read_literal(Cursor *cursor, const Word *literal)
{
    if (cursor->end - cursor->at < literal->length || !same(cursor->at, literal->text, literal->length)) {
        return OTHER;
    }
    cursor->at += literal->length;
    return READ;
}

/* Whether none of eight bytes is a quote or anything that is not plain. A byte that is may make the next look so. */
static inline int
all_plain(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t marks;
    memcpy(&marks, at, 8);
    uint64_t quotes = marks ^ (ones * '"'), escapes = marks ^ (ones * '\\');
    uint64_t odd = marks | (marks + ones) | (marks - ones * 0x20) | ((quotes - ones) & ~quotes) | ((escapes - ones) & ~escapes);
    return (odd & tops) == 0;
}

/* The length up to the closing quote; -1 where there is none. Only printable ASCII without escapes is plain. */
static inline Py_ssize_t
plain_length(const Cursor *cursor)
{
    const char *at = cursor->at;
    while (cursor->end - at >= 8 && all_plain(at)) {
        at += 8;
    }
    for (; at < cursor->end && *at != '"'; at++) {
        unsigned char mark = (unsigned char)*at;
        if (mark < 0x20 || mark > 0x7e || mark == '\\') {
            return -1;
        }
    }
    return at == cursor->end ? -1 : at - cursor->at;
}

static PyObject *
text_of(const char *start, Py_ssize_t length)
{
    PyObject *text = PyUnicode_New(length, 0x7f);
    if (text != NULL && length > 0) {
        memcpy(PyUnicode_1BYTE_DATA(text), start, length);
    }
    return text;
}

/* A text that was given lately, or else a new one. */
static PyObject *
name_of(PyObject **names, const char *start, Py_ssize_t length)
{
    uint32_t hash = 2166136261u;
    for (Py_ssize_t nth = 0; nth < length; nth++) {
        hash = (hash ^ (unsigned char)start[nth]) * 16777619u;
    }
    PyObject **place = &names[(hash ^ (hash >> 15)) & (NAMES - 1)];
    PyObject *name = *place;
    if (name != NULL && PyUnicode_GET_LENGTH(name) == length &&
        same((const char *)PyUnicode_1BYTE_DATA(name), start, length)) {
        return Py_NewRef(name);
    }
    PyObject *fresh = text_of(start, length);
    if (fresh != NULL && length > 0) {
        Py_XSETREF(*place, Py_NewRef(fresh));
    }
    return fresh;
}

static inline Answer
read_text(Cursor *cursor, const Part *part, PyObject **value)
{
    const char *start = cursor->at;
    Py_ssize_t length = plain_length(cursor);
    if (length < part->shortest || length > part->longest || length < part->literal.length ||
        !same(start + length - part->literal.length, part->literal.text, part->literal.length)) {
        return OTHER;
    }
    cursor->at += length;
    if (!part->kept) {
        return READ;
    }
    int remembered = !part->passing && length <= LONGEST_NAME;
    *value = remembered ? name_of(cursor->names, start, length) : text_of(start, length);
    return *value == NULL ? FAILED : READ;
}

static inline Answer
read_choice(Cursor *cursor, const Part *part, PyObject **value)
{
    for (const Choice *choice = part->choices; choice < part->choices + part->choice_count; choice++) {
        if (read_literal(cursor, &choice->word)) {
            if (part->kept) {
                *value = Py_NewRef(choice->meaning);
            }
            return READ;
        }
    }
    return OTHER;
}

/* Digits, of which at most `room` may come, added to `mantissa`. Returns how many came; -1 for too many. */
static inline int
read_digits(Cursor *cursor, uint64_t *mantissa, int room)
{
    const char *at = cursor->at;
    uint64_t sum = *mantissa;
    while (at < cursor->end && *at >= '0' && *at <= '9') {
        if (at - cursor->at >= room) {
            return -1;
        }
        sum = sum * 10 + (uint64_t)(*at++ - '0');
    }
    int count = (int)(at - cursor->at);
    *mantissa = sum;
    cursor->at = at;
    return count;
}

/* The integer part of a JSON number: no sign, no leading zeros. Returns its digits; -1 where it is none. */
static inline int
read_whole(Cursor *cursor, uint64_t *mantissa)
{
    const char *start = cursor->at;
    int count = read_digits(cursor, mantissa, MOST_DIGITS);
    return count < 1 || (count > 1 && *start == '0') ? -1 : count;
}

/* Whether `mark` is next, which is then passed. */
static inline int
passes(Cursor *cursor, char mark)
{
    int here = cursor->at < cursor->end && *cursor->at == mark;
    cursor->at += here;
    return here;
}

static inline Answer
read_number(Cursor *cursor, const Part *part, PyObject **value)
{
    static const Word null = {"null", 4, NULL};
    if (part->nullable && read_literal(cursor, &null)) {
        if (part->kept) {
            *value = Py_NewRef(Py_None);
        }
        return READ;
    }
    uint64_t mantissa = 0;
    int quoted = part->loose && passes(cursor, '"');
    int negative = part->low < 0.0 && passes(cursor, '-');
    int decimals = 0, whole = read_whole(cursor, &mantissa);
    if (whole < 0) {
        return OTHER;
    }
    if (passes(cursor, '.')) {
        decimals = read_digits(cursor, &mantissa, MOST_DIGITS - whole);
        if (decimals < 1) {
            return OTHER;
        }
    }
    if (mantissa > MOST_EXACT || (quoted && !passes(cursor, '"'))) {
        return OTHER;
    }
    double number = (double)mantissa / POWERS[decimals];
    number = negative ? -number : number;
    if (!(number >= part->low && number <= part->high)) {
        return OTHER;
    }
    if (part->kept && (*value = PyFloat_FromDouble(part->opposite ? -number : number)) == NULL) {
        return FAILED;
    }
    return READ;
}

static inline Answer
read_integer(Cursor *cursor, const Part *part, PyObject **value)
{
    const char *start = cursor->at;
    uint64_t number = 0;
    int digits = read_whole(cursor, &number);
    if (digits < 0 || digits >= MOST_DIGITS || (long long)number < part->least || (long long)number > part->most) {
        return OTHER;
    }
    if (!part->kept) {
        return READ;
    }
    *value = part->written ? name_of(cursor->names, start, digits) : PyLong_FromLongLong((long long)number);
    return *value == NULL ? FAILED : READ;
}

/* The number of `digits` figures at `text`; -1 where they are not all figures. */
static inline int
figures(const char *text, int digits)
{
    int number = 0;
    for (; digits > 0; digits--, text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        number = number * 10 + (*text - '0');
    }
    return number;
}

/* Days since 1970 in the Gregorian calendar; -1 for a day that is not in it. Years begin in March here, which leaves the
   leap day last. */
static inline long long
days_of(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (leap && month == 2)) {
        return -1;
    }
    int march = month > 2 ? month - 3 : month + 9, begun = month > 2 ? year : year - 1;
    return 365LL * begun + begun / 4 - begun / 100 + begun / 400 + (153 * march + 2) / 5 + day - 1 - 719468;
}

/* "2026-11-21T08:00:00.000Z", no other form of it, kept as milliseconds since 1970. */
static inline Answer
read_moment(Cursor *cursor, const Part *part, PyObject **value)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    const char *at = cursor->at;
    if (cursor->end - at < (Py_ssize_t)sizeof(form) - 1) {
        return OTHER;
    }
    for (size_t nth = 0; nth < sizeof(form) - 1; nth++) {
        if (form[nth] != 'd' && at[nth] != form[nth]) {
            return OTHER;
        }
    }
    long long days = days_of(figures(at, 4), figures(at + 5, 2), figures(at + 8, 2));
    int hour = figures(at + 11, 2), minute = figures(at + 14, 2), second = figures(at + 17, 2), rest = figures(at + 20, 3);
    if (days < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || rest < 0) {
        return OTHER;
    }
    long long moment = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + rest;
    if (moment < part->least || moment > part->most) {
        return OTHER;
    }
    cursor->at += sizeof(form) - 1;
    if (part->kept && (*value = PyLong_FromLongLong(moment)) == NULL) {
        return FAILED;
    }
    return READ;
}

#endif
