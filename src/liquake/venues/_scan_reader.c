/* From rows to liquidations: what `normalised` of liquake.model does with a contract of so and so many coins or dollars. */

#include "_scan.h"

#include <limits.h>

typedef struct {
    PyObject_HEAD
    Shape *shape;
    PyObject *make;   /* called with the fields of a Liquidation, in their order */
    PyObject *venue;
    PyObject *basis;
    Listing listing;
    long long tolerance;
    Py_ssize_t rows; /* which of the values are the rows; -1: they are one */
    Py_ssize_t symbol; /* which value of a row; where `rows` says so, -1 - which value beside the rows */
    Py_ssize_t side;
    Py_ssize_t price;
    Py_ssize_t size;
    Py_ssize_t milliseconds; /* -1: none is, and liquidations are as of their receipt */
    Py_ssize_t forced; /* which value of a row is None where it is no liquidation; -1: all are */
    Py_ssize_t kind;   /* which value of a row is of what kind its contract has to be, or None; -1: none is */
    Identity identity; /* empty where the venue has none */
    int unique;        /* whether rows of one time are told apart by it */
    int timed;         /* whether rows of two times are */
    int alone;         /* whether a row has all that is asked for, without what is beside it */
    Py_ssize_t width;  /* of rows */
    PyObject *above;   /* where no value says the side: that of sizes above zero, and of those below; else NULL */
    PyObject *below;
} Reader;

#define NANOSECONDS_PER_MILLISECOND 1000000
#define MOST_COMPARED 32 /* rows of one frame with each other */

/* The liquidation of `row`; NULL where it is not for us, or with an exception. */
static PyObject *
liquidation_of(Reader *self, PyObject *row, PyObject *values, PyObject *symbol, const Contract *contract,
               long long ts_event, PyObject *ts_recv)
{
    PyObject *price = PyTuple_GET_ITEM(row, self->price), *size = PyTuple_GET_ITEM(row, self->size), *side;
    if (!PyFloat_CheckExact(price) || !PyFloat_CheckExact(size) || PyFloat_AS_DOUBLE(size) == 0.0) {
        return NULL;
    }
    Py_INCREF(size);
    if (self->above == NULL) {
        side = PyTuple_GET_ITEM(row, self->side);
    }
    else {
        double signed_size = PyFloat_AsDouble(size);
        side = signed_size > 0.0 ? self->above : self->below;
        if (signed_size < 0.0) {
            Py_SETREF(size, PyFloat_FromDouble(-signed_size));
        }
    }
    if (size == NULL || side == Py_None) {
        Py_XDECREF(size);
        return NULL;
    }
    PyObject *amount = liquake_amount_of(contract, size, price), *usd = liquake_usd_of(contract, size, price);
    PyObject *when = PyLong_FromLongLong(ts_event);
    PyObject *identity = self->identity.count ? liquake_identity_of(&self->identity, row, values) : Py_NewRef(Py_None);
    PyObject *event = NULL;
    if (amount != NULL && usd != NULL && when != NULL && identity != NULL && !PyErr_Occurred()) {
        PyObject *fields[] = {self->venue, symbol, contract->asset, side, price,   self->basis,
                              amount,      usd,              when,            ts_recv, size, identity};
        event = PyObject_Vectorcall(self->make, fields, sizeof(fields) / sizeof(fields[0]), NULL);
    }
    Py_DECREF(size);
    Py_XDECREF(identity);
    Py_XDECREF(amount);
    Py_XDECREF(usd);
    Py_XDECREF(when);
    return event;
}

/* Whether `row` is a liquidation. */
static inline int
is_forced(const Reader *self, PyObject *row)
{
    return self->forced < 0 || PyTuple_GET_ITEM(row, self->forced) != Py_None;
}

static inline long long
milliseconds_of(const Reader *self, PyObject *row)
{
    return self->milliseconds < 0 ? 0 : PyLong_AsLongLong(PyTuple_GET_ITEM(row, self->milliseconds));
}

/* When `row` was, in nanoseconds; 0 where it has not been, or was before 1970. */
static inline long long
time_of(const Reader *self, PyObject *row, long long received)
{
    if (self->milliseconds < 0) {
        return received - received % NANOSECONDS_PER_MILLISECOND;
    }
    long long when = milliseconds_of(self, row);
    int past = when > 0 && when < LLONG_MAX / NANOSECONDS_PER_MILLISECOND &&
               when * NANOSECONDS_PER_MILLISECOND - self->tolerance <= received;
    return past ? when * NANOSECONDS_PER_MILLISECOND : 0;
}

/* Whether they are one number, or none. */
static inline int
is_equal(PyObject *one, PyObject *other)
{
    return !PyFloat_CheckExact(one) || !PyFloat_CheckExact(other) || PyFloat_AS_DOUBLE(one) == PyFloat_AS_DOUBLE(other);
}

/* Whether two rows have all in common of which an id is made. Without ids of the venue that is more than this. */
static int
is_alike(const Reader *self, PyObject *one, PyObject *other)
{
    if (self->identity.count) {
        return liquake_same_identity(&self->identity, one, other);
    }
    return is_equal(PyTuple_GET_ITEM(one, self->price), PyTuple_GET_ITEM(other, self->price)) &&
           is_equal(PyTuple_GET_ITEM(one, self->size), PyTuple_GET_ITEM(other, self->size)) &&
           milliseconds_of(self, one) == milliseconds_of(self, other);
}

/* Whether nothing but its place may tell the last of `count` rows from an earlier one, or that would take long to see. */
static int
is_repeated(const Reader *self, PyObject **rows, Py_ssize_t count)
{
    for (Py_ssize_t nth = 0; nth < count - 1; nth++) {
        if (is_forced(self, rows[nth]) && is_alike(self, rows[nth], rows[count - 1])) {
            return 1;
        }
    }
    return count > MOST_COMPARED;
}

/* Whether `row` says of its contract what that is, or nothing. */
static inline int
is_of_kind(const Reader *self, PyObject *row, const Contract *contract)
{
    PyObject *kind = self->kind < 0 ? Py_None : PyTuple_GET_ITEM(row, self->kind);
    return kind == Py_None || kind == contract->kind;
}

/* All of `rows` or nothing: another contract, a time to come, or two rows that only their order tells apart are for the
   general way. */
static PyObject *
liquidations_of(Reader *self, PyObject **rows, Py_ssize_t count, PyObject *values, PyObject *ts_recv)
{
    long long received = PyLong_AsLongLong(ts_recv), latest = 0;
    const Contract *contract = NULL;
    PyObject *beside = self->symbol < 0 ? PyTuple_GET_ITEM(values, -1 - self->symbol) : NULL;
    PyObject *events = NULL, *symbol = beside;
    Py_ssize_t forced = 0;
    for (Py_ssize_t nth = 0; nth < count; nth++) {
        forced += is_forced(self, rows[nth]);
    }
    if (beside != NULL) {
        contract = liquake_find_contract(&self->listing, beside);
    }
    if ((received != -1 || !PyErr_Occurred()) && (beside == NULL || contract != NULL)) {
        events = PyTuple_New(forced);
    }
    forced = 0;
    for (Py_ssize_t nth = 0; events != NULL && nth < count; nth++) {
        PyObject *row = rows[nth], *event = NULL;
        if (!is_forced(self, row)) {
            continue;
        }
        PyObject *named = beside != NULL ? beside : PyTuple_GET_ITEM(row, self->symbol);
        long long when = time_of(self, row, received);
        int apart = self->unique || (when > latest && self->timed) || !is_repeated(self, rows, nth + 1);
        if (apart && when > 0 &&
            (named == symbol || (contract = liquake_find_contract(&self->listing, named)) != NULL) &&
            is_of_kind(self, row, contract)) {
            symbol = named;
            event = liquidation_of(self, row, values, symbol, contract, when, ts_recv);
        }
        if (event == NULL) {
            Py_CLEAR(events);
            break;
        }
        latest = when > latest ? when : latest;
        PyTuple_SET_ITEM(events, forced++, event);
    }
    return events;
}

PyDoc_STRVAR(read_doc, "read(frame, ts_recv)\n--\n\nThe liquidations of `frame`, or None where it is for the general way.");

static PyObject *
reader_read(Reader *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "read takes a frame and the time of its receipt");
        return NULL;
    }
    PyObject *values = liquake_read(&self->shape->sequence, self->shape->names, arguments[0]), *events;
    if (values == NULL) {
        return liquake_or_none(NULL);
    }
    if (self->rows < 0) {
        events = liquidations_of(self, &values, 1, values, arguments[1]);
    }
    else {
        PyTupleObject *rows = (PyTupleObject *)PyTuple_GET_ITEM(values, self->rows);
        events = liquidations_of(self, rows->ob_item, Py_SIZE(rows), values, arguments[1]);
    }
    Py_DECREF(values);
    return liquake_or_none(events);
}

PyDoc_STRVAR(make_doc, "make(rows, ts_recv)\n--\n\nThe liquidations of `rows`, or None where they are for the general way.");

static PyObject *
reader_make(Reader *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2 || !self->alone || !PyTuple_Check(arguments[0])) {
        PyErr_SetString(PyExc_TypeError, "make takes a tuple of rows that have all, and the time of their receipt");
        return NULL;
    }
    PyTupleObject *rows = (PyTupleObject *)arguments[0];
    for (Py_ssize_t nth = 0; nth < Py_SIZE(rows); nth++) {
        if (!PyTuple_Check(rows->ob_item[nth]) || PyTuple_GET_SIZE(rows->ob_item[nth]) != self->width) {
            PyErr_SetString(PyExc_TypeError, "a row is a tuple of the shape's values");
            return NULL;
        }
    }
    return liquake_or_none(liquidations_of(self, rows->ob_item, Py_SIZE(rows), NULL, arguments[1]));
}

/* How many values a row has; -1 where `rows` are none of the shape's values. */
static Py_ssize_t
width_of(const Sequence *sequence, Py_ssize_t rows)
{
    Py_ssize_t value = 0;
    for (const Part *part = sequence->parts; part < sequence->parts + sequence->count; part++) {
        if (part->kind == ROWS && value == rows) {
            return part->inner.kept;
        }
        value += part->gives;
    }
    return rows < 0 ? value : -1;
}

static int
is_place(Py_ssize_t place, Py_ssize_t width)
{
    return place >= 0 && place < width;
}

/* Without an identity of their own liquidations have the time in their keys. */
static int
is_timed(const Reader *self)
{
    int timed = self->identity.count == 0;
    for (Py_ssize_t nth = 0; nth < self->identity.count; nth++) {
        const Piece *piece = &self->identity.pieces[nth];
        timed = timed || (piece->literal.name == NULL && piece->place == self->milliseconds && piece->unit == 1);
    }
    return timed;
}

static int
is_alone(const Reader *self)
{
    int alone = self->symbol >= 0;
    for (Py_ssize_t nth = 0; nth < self->identity.count; nth++) {
        alone = alone && (self->identity.pieces[nth].literal.name != NULL || self->identity.pieces[nth].place >= 0);
    }
    return alone;
}

static PyObject *
reader_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    const State *state = PyType_GetModuleState(type);
    PyObject *shape, *make, *venue, *basis, *listed, *by_name, *identity, *above, *below;
    Reader given = {0};
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Reader takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!OOO(O!Op)L(nnnnnnnn)(O!p)(OO):Reader", state->shape, &shape, &make, &venue, &basis,
                          &PyDict_Type, &listed, &by_name, &given.listing.in_dollars, &given.tolerance, &given.rows,
                          &given.symbol, &given.side, &given.price, &given.size, &given.milliseconds, &given.forced,
                          &given.kind, &PyTuple_Type, &identity, &given.unique, &above, &below)) {
        return NULL;
    }
    const Sequence *sequence = &((Shape *)shape)->sequence;
    Py_ssize_t width = width_of(sequence, given.rows);
    int named = given.symbol < 0 ? given.rows >= 0 && is_place(-1 - given.symbol, sequence->kept)
                                 : is_place(given.symbol, width);
    int sided = above != Py_None || is_place(given.side, width);
    if (!named || !sided || !is_place(given.price, width) || !is_place(given.size, width) ||
        given.milliseconds >= width || given.forced >= width || given.kind >= width) {
        PyErr_SetString(PyExc_ValueError, "a place is none of the shape's values");
        return NULL;
    }
    if (liquake_make_identity(&given.identity, identity, width, given.rows < 0 ? 0 : sequence->kept) < 0) {
        liquake_free_identity(&given.identity);
        return NULL;
    }
    Reader *self = (Reader *)type->tp_alloc(type, 0);
    if (self == NULL) {
        liquake_free_identity(&given.identity);
        return NULL;
    }
    given.ob_base = self->ob_base;
    *self = given; /* which knows no contract yet */
    self->timed = is_timed(self);
    self->alone = is_alone(self);
    self->width = width;
    self->shape = (Shape *)Py_NewRef(shape);
    self->make = Py_NewRef(make);
    self->venue = Py_NewRef(venue);
    self->basis = Py_NewRef(basis);
    self->listing.attributes = &state->attributes;
    self->listing.listed = Py_NewRef(listed);
    self->listing.by_name = Py_NewRef(by_name);
    self->above = above == Py_None ? NULL : Py_NewRef(above);
    self->below = above == Py_None ? NULL : Py_NewRef(below);
    return (PyObject *)self;
}

static void
reader_dealloc(Reader *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(self->shape);
    Py_DECREF(self->make);
    Py_DECREF(self->venue);
    Py_DECREF(self->basis);
    liquake_free_listing(&self->listing);
    Py_XDECREF(self->above);
    Py_XDECREF(self->below);
    liquake_free_identity(&self->identity);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)(void (*)(void))reader_read, METH_FASTCALL, read_doc},
    {"make", (PyCFunction)(void (*)(void))reader_make, METH_FASTCALL, make_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "Reader(shape, make, venue, basis, (listed, by_name, in_dollars), tolerance, places, (identity, unique), "
                "(above, below))"},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {0, NULL},
};

PyType_Spec liquake_reader_spec = {
    .name = "liquake.venues._scan.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};
