/* Shapes and their readers as Python sees them. */

#include "_scan.h"

#include <limits.h>
#include <stdint.h>

typedef struct {
    PyObject_HEAD
    Sequence sequence;
    PyObject *names[NAMES];
} Shape;

static PyObject *
or_none(PyObject *found)
{
    return found != NULL || PyErr_Occurred() ? found : Py_NewRef(Py_None);
}

PyDoc_STRVAR(scan_doc, "scan(frame)\n--\n\nThe kept values of `frame`, or None where it is not bytes in the shape.");

static PyObject *
shape_scan(Shape *self, PyObject *frame)
{
    return or_none(liquake_read(&self->sequence, self->names, frame));
}

static PyObject *
shape_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *parts;
    if ((keywords != NULL && PyDict_GET_SIZE(keywords)) ||
        !PyArg_ParseTuple(arguments, "O!:Shape", &PyTuple_Type, &parts)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "Shape takes no keywords");
        }
        return NULL;
    }
    Shape *self = (Shape *)type->tp_alloc(type, 0);
    if (self != NULL && liquake_make_sequence(&self->sequence, parts) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
shape_dealloc(Shape *self)
{
    PyTypeObject *type = Py_TYPE(self);
    liquake_free_sequence(&self->sequence);
    for (Py_ssize_t nth = 0; nth < NAMES; nth++) {
        Py_XDECREF(self->names[nth]);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef shape_methods[] = {
    {"scan", (PyCFunction)shape_scan, METH_O, scan_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot shape_slots[] = {
    {Py_tp_doc, "Shape(parts)\n--\n\nParts are bytes, and fields (name, kept, bounds or parts)."},
    {Py_tp_new, shape_new},
    {Py_tp_dealloc, shape_dealloc},
    {Py_tp_methods, shape_methods},
    {0, NULL},
};

static PyType_Spec shape_spec = {
    .name = "liquake.venues._scan.Shape",
    .basicsize = sizeof(Shape),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = shape_slots,
};

/* What readers ask for: the type of shapes, and the names of what they look at in an instrument. */
typedef struct {
    PyTypeObject *shape;
    PyObject *coins;
    PyObject *asset;
} State;

#define KNOWN 256 /* a power of two */

/* What an instrument was found to be. */
typedef struct {
    PyObject *instrument; /* held, lest another come to be where it was */
    PyObject *asset;
    double coins; /* of one contract; 0 where that is not all */
} Known;

/* From rows to liquidations: what `normalised` of liquake.model does with a contract of so and so many coins */

typedef struct {
    PyObject_HEAD
    const State *state; /* of the module, which the type holds */
    Shape *shape;
    PyObject *make;   /* called with the fields of a Liquidation, in their order */
    PyObject *venue;
    PyObject *basis;
    PyObject *listed;  /* a dict from symbols to instruments */
    PyObject *by_name; /* called with a symbol that is not in it: an instrument, or None */
    long long tolerance;
    Py_ssize_t rows; /* which of the values are the rows; -1: they are one */
    Py_ssize_t symbol; /* which value of a row; where `rows` says so, -1 - which value beside the rows */
    Py_ssize_t side;
    Py_ssize_t price;
    Py_ssize_t size;
    Py_ssize_t milliseconds;
    Py_ssize_t forced; /* which value of a row is None where it is no liquidation; -1: all are */
    Identity identity; /* empty where the venue has none */
    int unique;        /* whether rows of one time are told apart by it */
    PyObject *above;   /* where no value says the side: that of sizes above zero, and of those below; else NULL */
    PyObject *below;
    Known known[KNOWN]; /* by where instruments are: these do not change */
} Reader;

#define NANOSECONDS_PER_MILLISECOND 1000000

/* What is the same for rows of one symbol. */
typedef struct {
    PyObject *symbol; /* borrowed of the row */
    PyObject *asset;
    double coins;
} Contract;

/* What `instrument` is; NULL with an exception. */
static const Known *
known_as(Reader *self, PyObject *instrument)
{
    Known *known = &self->known[((uintptr_t)instrument >> 5) & (KNOWN - 1)];
    if (known->instrument != instrument) {
        PyObject *coins = PyObject_GetAttr(instrument, self->state->coins);
        PyObject *asset = PyObject_GetAttr(instrument, self->state->asset);
        double number = coins == NULL || asset == NULL ? -1.0 : PyFloat_AsDouble(coins);
        Py_XDECREF(coins);
        if (PyErr_Occurred()) {
            Py_XDECREF(asset);
            return NULL;
        }
        Py_XSETREF(known->instrument, Py_NewRef(instrument));
        Py_XSETREF(known->asset, asset);
        known->coins = number;
    }
    return known;
}

/* Whether the contract called `symbol` is one of so and so many coins. */
static int
find_contract(Contract *contract, Reader *self, PyObject *symbol)
{
    PyObject *instrument = Py_XNewRef(PyDict_GetItemWithError(self->listed, symbol));
    if (instrument == NULL && !PyErr_Occurred()) {
        instrument = PyObject_CallOneArg(self->by_name, symbol);
    }
    const Known *known = instrument == NULL || instrument == Py_None ? NULL : known_as(self, instrument);
    Py_XDECREF(instrument);
    if (known == NULL || !(known->coins > 0.0)) {
        return 0;
    }
    Py_XSETREF(contract->asset, Py_NewRef(known->asset));
    contract->coins = known->coins;
    contract->symbol = symbol;
    return 1;
}

/* The liquidation of `row`; NULL where it is not for us, or with an exception. */
static PyObject *
liquidation_of(Reader *self, PyObject *row, PyObject *values, const Contract *contract, long long ts_event,
               PyObject *ts_recv)
{
    PyObject *price = PyTuple_GET_ITEM(row, self->price), *size = PyTuple_GET_ITEM(row, self->size), *side;
    if (!PyFloat_CheckExact(price) || !PyFloat_CheckExact(size)) {
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
        if (signed_size == 0.0) {
            Py_CLEAR(size);
        }
    }
    if (size == NULL) {
        return NULL;
    }
    double quantity = PyFloat_AsDouble(size) * contract->coins;
    PyObject *amount = contract->coins == 1.0 ? Py_NewRef(size) : PyFloat_FromDouble(quantity);
    PyObject *usd = PyFloat_FromDouble(quantity * PyFloat_AsDouble(price));
    PyObject *when = PyLong_FromLongLong(ts_event);
    PyObject *identity = self->identity.count ? liquake_identity_of(&self->identity, row, values) : Py_NewRef(Py_None);
    PyObject *event = NULL;
    if (amount != NULL && usd != NULL && when != NULL && identity != NULL && !PyErr_Occurred()) {
        PyObject *fields[] = {self->venue, contract->symbol, contract->asset, side, price,   self->basis,
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

/* All of `rows` or nothing: another contract, a time to come, or two rows that only their order tells apart are for the
   general way. */
static PyObject *
liquidations_of(Reader *self, PyObject **rows, Py_ssize_t count, PyObject *values, PyObject *ts_recv)
{
    long long received = PyLong_AsLongLong(ts_recv), latest = 0;
    Contract contract = {NULL, NULL, 0.0};
    PyObject *beside = self->symbol < 0 ? PyTuple_GET_ITEM(values, -1 - self->symbol) : NULL;
    PyObject *events = NULL;
    Py_ssize_t forced = 0;
    for (Py_ssize_t nth = 0; nth < count; nth++) {
        forced += is_forced(self, rows[nth]);
    }
    if ((received != -1 || !PyErr_Occurred()) && (beside == NULL || find_contract(&contract, self, beside))) {
        events = PyTuple_New(forced);
    }
    forced = 0;
    for (Py_ssize_t nth = 0; events != NULL && nth < count; nth++) {
        PyObject *row = rows[nth], *event = NULL;
        if (!is_forced(self, row)) {
            continue;
        }
        PyObject *named = beside != NULL ? beside : PyTuple_GET_ITEM(row, self->symbol);
        long long when = PyLong_AsLongLong(PyTuple_GET_ITEM(row, self->milliseconds));
        if (when > latest && when < LLONG_MAX / NANOSECONDS_PER_MILLISECOND &&
            when * NANOSECONDS_PER_MILLISECOND - self->tolerance <= received &&
            (named == contract.symbol || find_contract(&contract, self, named))) {
            event = liquidation_of(self, row, values, &contract, when * NANOSECONDS_PER_MILLISECOND, ts_recv);
        }
        if (event == NULL) {
            Py_CLEAR(events);
            break;
        }
        latest = self->unique ? 0 : when;
        PyTuple_SET_ITEM(events, forced++, event);
    }
    Py_XDECREF(contract.asset);
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
        return or_none(NULL);
    }
    if (self->rows < 0) {
        events = liquidations_of(self, &values, 1, values, arguments[1]);
    }
    else {
        PyTupleObject *rows = (PyTupleObject *)PyTuple_GET_ITEM(values, self->rows);
        events = liquidations_of(self, rows->ob_item, Py_SIZE(rows), values, arguments[1]);
    }
    Py_DECREF(values);
    return or_none(events);
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
        value += part->kind == MAYBE ? part->inner.kept : part->kept;
    }
    return rows < 0 ? value : -1;
}

static int
is_place(Py_ssize_t place, Py_ssize_t width)
{
    return place >= 0 && place < width;
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
    if (!PyArg_ParseTuple(arguments, "O!OOO(O!O)L(nnnnnnn)(O!p)(OO):Reader", state->shape, &shape, &make, &venue, &basis,
                          &PyDict_Type, &listed, &by_name, &given.tolerance, &given.rows, &given.symbol, &given.side,
                          &given.price, &given.size, &given.milliseconds, &given.forced, &PyTuple_Type, &identity,
                          &given.unique, &above, &below)) {
        return NULL;
    }
    const Sequence *sequence = &((Shape *)shape)->sequence;
    Py_ssize_t width = width_of(sequence, given.rows);
    int named = given.symbol < 0 ? given.rows >= 0 && is_place(-1 - given.symbol, sequence->kept)
                                 : is_place(given.symbol, width);
    int sided = above != Py_None || is_place(given.side, width);
    if (!named || !sided || !is_place(given.price, width) || !is_place(given.size, width) ||
        !is_place(given.milliseconds, width) || given.forced >= width) {
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
    *self = given; /* which knows nothing yet */
    self->state = state;
    self->shape = (Shape *)Py_NewRef(shape);
    self->make = Py_NewRef(make);
    self->venue = Py_NewRef(venue);
    self->basis = Py_NewRef(basis);
    self->listed = Py_NewRef(listed);
    self->by_name = Py_NewRef(by_name);
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
    Py_DECREF(self->listed);
    Py_DECREF(self->by_name);
    Py_XDECREF(self->above);
    Py_XDECREF(self->below);
    liquake_free_identity(&self->identity);
    for (size_t nth = 0; nth < KNOWN; nth++) {
        Py_XDECREF(self->known[nth].instrument);
        Py_XDECREF(self->known[nth].asset);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)(void (*)(void))reader_read, METH_FASTCALL, read_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "Reader(shape, make, venue, basis, (listed, by_name), tolerance, places, (identity, unique), (above, below))"},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    .name = "liquake.venues._scan.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};

static int
scan_exec(PyObject *module)
{
    State *state = PyModule_GetState(module);
    state->shape = (PyTypeObject *)PyType_FromModuleAndSpec(module, &shape_spec, NULL);
    state->coins = PyUnicode_InternFromString("coins");
    state->asset = PyUnicode_InternFromString("asset");
    if (state->shape == NULL || state->coins == NULL || state->asset == NULL ||
        PyModule_AddType(module, state->shape) < 0) {
        return -1;
    }
    PyObject *reader = PyType_FromModuleAndSpec(module, &reader_spec, NULL);
    int done = reader == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)reader);
    Py_XDECREF(reader);
    return done;
}

static int
scan_clear(PyObject *module)
{
    Py_CLEAR(((State *)PyModule_GetState(module))->shape);
    return 0;
}

static void
scan_free(void *module)
{
    State *state = PyModule_GetState(module);
    scan_clear(module);
    /* Not before: readers that outlive the program's last collection still look by these. */
    Py_CLEAR(state->coins);
    Py_CLEAR(state->asset);
}

static int
scan_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((State *)PyModule_GetState(module))->shape);
    return 0;
}

static PyModuleDef_Slot scan_slots[] = {
    {Py_mod_exec, scan_exec},
    {0, NULL},
};

static struct PyModuleDef scan_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "liquake.venues._scan",
    .m_doc = "Frames in a shape known beforehand.",
    .m_size = sizeof(State),
    .m_slots = scan_slots,
    .m_traverse = scan_traverse,
    .m_clear = scan_clear,
    .m_free = scan_free,
};

PyMODINIT_FUNC
PyInit__scan(void)
{
    return PyModuleDef_Init(&scan_module);
}
