/* What a row is told by, written as Python writes it. */

#include "_scan.h"

#include <string.h>

#define LONGEST 256
#define LONGEST_NUMBER 32

void
liquake_free_identity(Identity *identity)
{
    for (Py_ssize_t nth = 0; nth < identity->count; nth++) {
        Py_XDECREF(identity->pieces[nth].literal.name);
    }
    PyMem_Free(identity->pieces);
}

static int
make_piece(Piece *piece, PyObject *given, Py_ssize_t width, Py_ssize_t beside)
{
    if (PyBytes_Check(given)) {
        piece->literal = (Word){PyBytes_AS_STRING(given), PyBytes_GET_SIZE(given), Py_NewRef(given)};
        return 0;
    }
    if (!PyArg_ParseTuple(given, "nL", &piece->place, &piece->unit)) {
        return -1;
    }
    if (piece->unit < 1) {
        PyErr_SetString(PyExc_ValueError, "a unit is 1 or more");
        return -1;
    }
    if (piece->place >= 0 ? piece->place >= width : -1 - piece->place >= beside) {
        PyErr_SetString(PyExc_ValueError, "a place is none of the shape's values");
        return -1;
    }
    return 0;
}

int
liquake_make_identity(Identity *identity, PyObject *pieces, Py_ssize_t width, Py_ssize_t beside)
{
    Py_ssize_t count = PyTuple_GET_SIZE(pieces);
    identity->pieces = PyMem_Calloc(count ? count : 1, sizeof(Piece));
    if (identity->pieces == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; identity->count < count; identity->count++) {
        if (make_piece(&identity->pieces[identity->count], PyTuple_GET_ITEM(pieces, identity->count), width, beside) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What follows writes from the end: `at` is where what stands already begins, and each answers where it begins now. Where
   an identity is not plain that is NULL. */

/* `number` in at least `digits` digits. */
static inline char *
write_whole(char *at, unsigned long long number, int digits)
{
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
        digits--;
    } while (number > 0 || digits > 0);
    return at;
}

static inline char *
write_text(char *at, const char *text, Py_ssize_t length)
{
    while (length > 0) {
        *--at = text[--length];
    }
    return at;
}

/* `number` by at most 15 figures that read back as it, if there are: then there are no fewer that do but for zeros, and
   repr() gives these, since no two decimals of so few figures are one double. */
static char *
write_number(char *at, double number)
{
    static const unsigned int units[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    double size = number < 0.0 ? -number : number;
    if (!(size >= 1e-4 && size < 1e7)) {
        return NULL;
    }
    unsigned long long figures = (unsigned long long)(size * 1e8 + 0.5);
    if ((double)figures / 1e8 != size) {
        return NULL;
    }
    /* At most seven zeros are left out, for one decimal stays: four of them, then two, then one. */
    int decimals = 8;
    for (int zeros = 4; zeros > 0; zeros /= 2) {
        if (figures % units[zeros] == 0) {
            figures /= units[zeros];
            decimals -= zeros;
        }
    }
    unsigned long long unit = units[decimals];
    at = write_whole(at, figures % unit, decimals);
    *--at = '.';
    at = write_whole(at, figures / unit, 1);
    if (number < 0.0) {
        *--at = '-';
    }
    return at;
}

/* `value`, of at most `room` characters. */
static inline char *
write_value(char *at, Py_ssize_t room, PyObject *value, long long unit)
{
    if (PyUnicode_CheckExact(value) && PyUnicode_IS_ASCII(value)) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(value);
        return length > room ? NULL : write_text(at, (const char *)PyUnicode_1BYTE_DATA(value), length);
    }
    if (room < LONGEST_NUMBER) {
        return NULL;
    }
    if (PyFloat_CheckExact(value)) {
        return write_number(at, PyFloat_AS_DOUBLE(value));
    }
    long long number = PyLong_CheckExact(value) ? PyLong_AsLongLong(value) : -1;
    return number < 0 ? NULL : write_whole(at, (unsigned long long)(number / unit), 1);
}

/* Whether `one` and `other`, values of the same place in two rows, are told alike; also with an exception. */
static int
is_told_alike(const Piece *piece, PyObject *one, PyObject *other)
{
    if (one == other) {
        return 1;
    }
    if (piece->unit > 1) {
        return PyLong_AsLongLong(one) / piece->unit == PyLong_AsLongLong(other) / piece->unit;
    }
    return PyObject_RichCompareBool(one, other, Py_EQ) != 0;
}

int
liquake_same_identity(const Identity *identity, PyObject *one, PyObject *other)
{
    int same = 1;
    for (const Piece *piece = identity->pieces; same && piece < identity->pieces + identity->count; piece++) {
        if (piece->literal.name == NULL && piece->place >= 0) {
            same = is_told_alike(piece, PyTuple_GET_ITEM(one, piece->place), PyTuple_GET_ITEM(other, piece->place));
        }
    }
    return same;
}

PyObject *
liquake_identity_of(const Identity *identity, PyObject *row, PyObject *values)
{
    char text[LONGEST], *at = text + LONGEST;
    for (const Piece *piece = identity->pieces + identity->count - 1; at != NULL && piece >= identity->pieces; piece--) {
        if (piece->literal.name != NULL) {
            at = piece->literal.length > at - text ? NULL : write_text(at, piece->literal.text, piece->literal.length);
            continue;
        }
        PyObject *value = piece->place >= 0 ? PyTuple_GET_ITEM(row, piece->place)
                                            : PyTuple_GET_ITEM(values, -1 - piece->place);
        if (identity->count == 1 && PyUnicode_CheckExact(value)) {
            return Py_NewRef(value);
        }
        at = write_value(at, at - text, value, piece->unit);
    }
    PyObject *told = at == NULL ? NULL : PyUnicode_New(text + LONGEST - at, 0x7f);
    if (told != NULL && at < text + LONGEST) {
        memcpy(PyUnicode_1BYTE_DATA(told), at, text + LONGEST - at);
    }
    return told;
}
