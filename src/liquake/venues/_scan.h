/* A reader of JSON frames that are byte for byte in a shape known beforehand. Optional: shape.py says how it is used.

   A shape is a sequence of parts, each a literal or a field. Reading it looks at every byte once and makes objects of
   the wanted fields alone. What is not exactly in the shape is no error: `scan` gives None, and the caller reads the
   frame in the general way. So it may refuse whatever is rare, and must never accept what the general way would
   read otherwise. */

#ifndef LIQUAKE_SCAN_H
#define LIQUAKE_SCAN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Of what shape.py and this say to each other. Change it there too: what was built before then counts as not there. */
#define LIQUAKE_SCAN_VERSION 2

#define NAMES 1024 /* a power of two */

typedef enum { LITERAL = 0, TEXT, NUMBER, INTEGER, MOMENT, CHOICE, MAYBE, EITHER, ROWS } Kind;

typedef struct {
    const char *text; /* of `name`, bytes */
    Py_ssize_t length;
    PyObject *name;
} Word;

typedef struct {
    Word word;
    PyObject *meaning;
} Choice;

struct part;

typedef struct {
    struct part *parts;
    Py_ssize_t count;
    Py_ssize_t kept; /* values that reading it gives */
} Sequence;

typedef struct part {
    Kind kind;
    int kept;            /* 0: checked, and no object made of it */
    Word literal;        /* LITERAL; what a TEXT ends with */
    Py_ssize_t shortest; /* TEXT, in characters */
    Py_ssize_t longest;
    double low; /* NUMBER */
    double high;
    int nullable;        /* NUMBER: may be null, which is kept as None */
    int opposite;        /* NUMBER: kept with the other sign */
    int loose;           /* NUMBER: in quotes or not */
    int passing;         /* TEXT: not remembered */
    int written;         /* INTEGER: kept as its text */
    long long least; /* INTEGER, and MOMENT, in milliseconds */
    long long most;
    Choice *choices; /* CHOICE, none of which begins with an earlier one */
    Py_ssize_t choice_count;
    Sequence inner; /* MAYBE, ROWS */
    Sequence *ways; /* EITHER, all of which give as many values */
    Py_ssize_t way_count;
    Py_ssize_t gives; /* how many values */
} Part;

/* From `parts`, bytes and fields (name, kept, bounds or parts). Returns 0; -1 with an exception. To be freed in both cases. */
int
liquake_make_sequence(Sequence *sequence, PyObject *parts);

void
liquake_free_sequence(Sequence *sequence);

/* The kept values of `frame`, a tuple; NULL where it is not bytes in the shape, or with an exception. `names` are NAMES
   texts given lately, or NULL each: the same few symbols come again and again. */
PyObject *
liquake_read(const Sequence *sequence, PyObject **names, PyObject *frame);

/* What a row is told by from all others: literals and values, one after another. */
typedef struct {
    Word literal;
    Py_ssize_t place; /* where it is no literal: of a value of the row; -1 - place of one beside the rows */
    long long unit;   /* of an integer, which is told in whole ones: 1 but for the seconds of milliseconds */
} Piece;

typedef struct {
    Piece *pieces;
    Py_ssize_t count;
} Identity;

/* From `pieces`, bytes and places within `width` values of a row and `beside` others. Returns 0; -1 with an exception.
   To be freed in both cases. */
int
liquake_make_identity(Identity *identity, PyObject *pieces, Py_ssize_t width, Py_ssize_t beside);

void
liquake_free_identity(Identity *identity);

/* As Python's str() has it; NULL where it is for the general way, or with an exception. */
PyObject *
liquake_identity_of(const Identity *identity, PyObject *row, PyObject *values);

/* Whether two rows are told by the same. */
int
liquake_same_identity(const Identity *identity, PyObject *one, PyObject *other);

/* The names of what is looked at in an instrument. */
typedef struct {
    PyObject *coins;
    PyObject *dollars;
    PyObject *kind;
    PyObject *asset;
} Attributes;

/* Returns 0; -1 with an exception. To be freed in both cases. */
int
liquake_make_attributes(Attributes *attributes);

void
liquake_free_attributes(Attributes *attributes);

#define KNOWN 256 /* a power of two */

/* A contract of so and so many coins, or of so and so many dollars: the other is 0, and both where that is not all. */
typedef struct {
    PyObject *instrument; /* held, lest another come to be where it was */
    PyObject *asset;
    PyObject *kind;
    double coins;
    double dollars;
} Contract;

/* Where contracts are found. */
typedef struct {
    const Attributes *attributes; /* of the module, which the type of readers holds */
    PyObject *listed;             /* a dict from symbols to instruments */
    PyObject *by_name;            /* called with a symbol that is not in it: an instrument, or None */
    int in_dollars;               /* whether the venue counts dollars, whatever a contract is */
    Contract known[KNOWN];        /* by where instruments are: these do not change */
} Listing;

void
liquake_free_listing(Listing *listing);

/* What is called `symbol`, until something else is found; NULL where its conversion takes more, or with an exception. */
const Contract *
liquake_find_contract(Listing *listing, PyObject *symbol);

/* Of `size` contracts at `price`, which is above zero. NULL with an exception. */
PyObject *
liquake_amount_of(const Contract *contract, PyObject *size, PyObject *price);

PyObject *
liquake_usd_of(const Contract *contract, PyObject *size, PyObject *price);

typedef struct {
    PyObject_HEAD
    Sequence sequence;
    PyObject *names[NAMES];
} Shape;

/* Of the module: what readers ask for. */
typedef struct {
    PyTypeObject *shape;
    Attributes attributes;
} State;

extern PyType_Spec liquake_reader_spec;

static inline PyObject *
liquake_or_none(PyObject *found)
{
    return found != NULL || PyErr_Occurred() ? found : Py_NewRef(Py_None);
}

#endif
