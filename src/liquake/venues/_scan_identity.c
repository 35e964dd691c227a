/* What a row is told by, written as Python writes it. */

#include "_scan.h"

#include <string.h>

#define LONGEST 256
#define MOST_DECIMALS 11 /* with one figure before them, as many as a double always keeps */

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

/* `number` in at least `digits` digits. Returns how many. */
static inline int
write_whole(char *text, unsigned long long number, int digits)
{
    char reversed[24], *first = reversed + sizeof(reversed);
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    int count = (int)(reversed + sizeof(reversed) - first), zeros = digits > count ? digits - count : 0;
    memset(text, '0', zeros);
    memcpy(text + zeros, first, count);
    return zeros + count;
}

/* `number` by at most 15 figures that read back as it, if there are: then there are no fewer that do, and repr() gives
   these, since no two decimals of so few figures are one double. Returns the length; 0 where there are none. */
static int
write_short(char *text, double number)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
    double size = number < 0.0 ? -number : number;
    char *at = text;
    if (!(size >= 1e-4 && size < 1e15)) {
        return 0;
    }
    for (int decimals = 0; decimals <= MOST_DECIMALS; decimals++) {
        double scaled = size * powers[decimals];
        if (scaled >= 1e15) {
            return 0;
        }
        unsigned long long figures = (unsigned long long)(scaled + 0.5), unit = (unsigned long long)powers[decimals];
        if ((double)figures / powers[decimals] != size) {
            continue;
        }
        if (number < 0.0) {
            *at++ = '-';
        }
        at += write_whole(at, figures / unit, 1);
        *at++ = '.';
        at += write_whole(at, figures % unit, decimals);
        return (int)(at - text);
    }
    return 0;
}

/* Appends `value` at `text`, which has room for `room` characters. Returns how many; -1 for the general way. */
static Py_ssize_t
write_value(char *text, Py_ssize_t room, PyObject *value, long long unit)
{
    if (PyUnicode_Check(value) && PyUnicode_IS_ASCII(value)) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(value);
        if (length > room) {
            return -1;
        }
        memcpy(text, PyUnicode_1BYTE_DATA(value), length);
        return length;
    }
    if (room < 32) {
        return -1;
    }
    if (PyLong_CheckExact(value)) {
        long long number = PyLong_AsLongLong(value);
        if (number < 0) {
            return -1;
        }
        return write_whole(text, (unsigned long long)(number / unit), 1);
    }
    int length = PyFloat_CheckExact(value) ? write_short(text, PyFloat_AS_DOUBLE(value)) : 0;
    return length > 0 ? length : -1;
}

PyObject *
liquake_identity_of(const Identity *identity, PyObject *row, PyObject *values)
{
    char text[LONGEST];
    Py_ssize_t length = 0;
    for (const Piece *piece = identity->pieces; piece < identity->pieces + identity->count; piece++) {
        if (piece->literal.name != NULL) {
            if (piece->literal.length > LONGEST - length) {
                return NULL;
            }
            memcpy(text + length, piece->literal.text, piece->literal.length);
            length += piece->literal.length;
            continue;
        }
        PyObject *value = piece->place >= 0 ? PyTuple_GET_ITEM(row, piece->place)
                                            : PyTuple_GET_ITEM(values, -1 - piece->place);
        if (identity->count == 1 && PyUnicode_Check(value)) {
            return Py_NewRef(value);
        }
        Py_ssize_t added = write_value(text + length, LONGEST - length, value, piece->unit);
        if (added < 0) {
            return NULL;
        }
        length += added;
    }
    PyObject *told = PyUnicode_New(length, 0x7f);
    if (told != NULL && length > 0) {
        memcpy(PyUnicode_1BYTE_DATA(told), text, length);
    }
    return told;
}
