/* A reader of JSON frames that are byte for byte in a shape known beforehand. Optional: shape.py says how it is used.

   A shape is a sequence of parts, each a literal or a field. Reading it looks at every byte once and makes objects of
   the wanted fields alone. What is not exactly in the shape is no error: `scan` gives None, and the caller reads the
   frame in the general way. So this file may refuse whatever is rare, and must never accept what the general way would
   read otherwise.

   Numbers: a decimal of at most 19 digits whose digits without the point are an integer of at most 2^53, divided by a
   power of ten of at most 10^22, is correctly rounded by one division, since both are doubles exactly (W. D. Clinger,
   How to Read Floating Point Numbers Accurately, 1990). Every other number is refused. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <float.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 1
#error "a division would be rounded twice here: liquake runs without this extension"
#endif

#define MOST_DIGITS 19
#define MOST_EXACT (UINT64_C(1) << 53)
#define LONGEST_NAME 64
#define NAMES 1024 /* a power of two */

static const double POWERS[MOST_DIGITS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                               1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

typedef enum { LITERAL = 0, TEXT, NUMBER, INTEGER, CHOICE, MAYBE, ROWS } Kind;

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
    Word literal;        /* LITERAL */
    Py_ssize_t shortest; /* TEXT, in characters */
    Py_ssize_t longest;
    double low; /* NUMBER */
    double high;
    long long least; /* INTEGER */
    long long most;
    Choice *choices; /* CHOICE, none of which begins with an earlier one */
    Py_ssize_t choice_count;
    Sequence inner; /* MAYBE, ROWS */
} Part;

typedef struct {
    PyObject_HEAD
    Sequence sequence;
    PyObject *names[NAMES]; /* texts given lately: the same few symbols come again and again */
} Shape;

typedef struct {
    const char *at;
    const char *end;
    PyObject **names;
} Cursor;

/* What the functions below answer. A failure has set an exception, which only want of memory does. */
typedef enum { FAILED = -1, OTHER = 0, READ = 1 } Answer;

/* Reading */

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

/* Up to the closing quote, which is left. Only printable ASCII without escapes is plain. */
static inline Answer
read_plain(Cursor *cursor, const char **start, Py_ssize_t *length, uint32_t *hash)
{
    const char *at = cursor->at;
    uint32_t mixed = 2166136261u;
    while (at < cursor->end && *at != '"') {
        unsigned char mark = (unsigned char)*at;
        if (mark < 0x20 || mark > 0x7e || mark == '\\') {
            return OTHER;
        }
        mixed = (mixed ^ mark) * 16777619u;
        at++;
    }
    if (at == cursor->end) {
        return OTHER;
    }
    *start = cursor->at;
    *length = at - cursor->at;
    *hash = mixed ^ (mixed >> 15);
    cursor->at = at;
    return READ;
}

static PyObject *
name_of(PyObject **names, const char *start, Py_ssize_t length, uint32_t hash)
{
    PyObject **place = &names[hash & (NAMES - 1)];
    PyObject *name = *place;
    if (name != NULL && PyUnicode_GET_LENGTH(name) == length &&
        same((const char *)PyUnicode_1BYTE_DATA(name), start, length)) {
        return Py_NewRef(name);
    }
    PyObject *fresh = PyUnicode_New(length, 0x7f);
    if (fresh == NULL || length == 0) {
        return fresh;
    }
    memcpy(PyUnicode_1BYTE_DATA(fresh), start, length);
    if (length <= LONGEST_NAME) {
        *place = Py_NewRef(fresh);
        Py_XDECREF(name);
    }
    return fresh;
}

static inline Answer
read_text(Cursor *cursor, const Part *part, PyObject **value)
{
    const char *start;
    Py_ssize_t length;
    uint32_t hash;
    if (!read_plain(cursor, &start, &length, &hash) || length < part->shortest || length > part->longest) {
        return OTHER;
    }
    if (part->kept && (*value = name_of(cursor->names, start, length, hash)) == NULL) {
        return FAILED;
    }
    return READ;
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

static inline Answer
read_number(Cursor *cursor, const Part *part, PyObject **value)
{
    uint64_t mantissa = 0;
    int decimals = 0, whole = read_whole(cursor, &mantissa);
    if (whole < 0) {
        return OTHER;
    }
    if (cursor->at < cursor->end && *cursor->at == '.') {
        cursor->at++;
        decimals = read_digits(cursor, &mantissa, MOST_DIGITS - whole);
        if (decimals < 1) {
            return OTHER;
        }
    }
    if (mantissa > MOST_EXACT) {
        return OTHER;
    }
    double number = (double)mantissa / POWERS[decimals];
    if (!(number >= part->low && number <= part->high)) {
        return OTHER;
    }
    if (part->kept && (*value = PyFloat_FromDouble(number)) == NULL) {
        return FAILED;
    }
    return READ;
}

static inline Answer
read_integer(Cursor *cursor, const Part *part, PyObject **value)
{
    uint64_t number = 0;
    int digits = read_whole(cursor, &number);
    if (digits < 0 || digits >= MOST_DIGITS || (long long)number < part->least || (long long)number > part->most) {
        return OTHER;
    }
    if (part->kept && (*value = PyLong_FromLongLong((long long)number)) == NULL) {
        return FAILED;
    }
    return READ;
}

static Answer
read_sequence(Cursor *cursor, const Sequence *sequence, PyObject **values);

/* One sequence or more with commas between, each a tuple in a list. */
static Answer
read_rows(Cursor *cursor, const Part *part, PyObject **value)
{
    PyObject *rows = PyList_New(0);
    if (rows == NULL) {
        return FAILED;
    }
    *value = rows;
    for (;;) {
        PyObject *row = PyTuple_New(part->inner.kept);
        if (row == NULL) {
            return FAILED;
        }
        Answer answer = read_sequence(cursor, &part->inner, ((PyTupleObject *)row)->ob_item);
        if (answer == READ && PyList_Append(rows, row) < 0) {
            answer = FAILED;
        }
        Py_DECREF(row);
        if (answer != READ || cursor->at == cursor->end || *cursor->at != ',') {
            return answer;
        }
        cursor->at++;
    }
}

/* A sequence that may be left out as a whole: its first literal decides, and its values are then None. */
static Answer
read_maybe(Cursor *cursor, const Part *part, PyObject **values)
{
    Cursor ahead = *cursor;
    if (read_literal(&ahead, &part->inner.parts[0].literal)) {
        return read_sequence(cursor, &part->inner, values);
    }
    for (Py_ssize_t nth = 0; nth < part->inner.kept; nth++) {
        values[nth] = Py_NewRef(Py_None);
    }
    return READ;
}

static Answer
read_sequence(Cursor *cursor, const Sequence *sequence, PyObject **values)
{
    const Part *last = sequence->parts + sequence->count;
    for (const Part *part = sequence->parts; part < last; part++) {
        Answer answer = OTHER;
        switch (part->kind) {
        case LITERAL: answer = read_literal(cursor, &part->literal); break;
        case TEXT: answer = read_text(cursor, part, values); break;
        case NUMBER: answer = read_number(cursor, part, values); break;
        case INTEGER: answer = read_integer(cursor, part, values); break;
        case CHOICE: answer = read_choice(cursor, part, values); break;
        case MAYBE: answer = read_maybe(cursor, part, values); break;
        case ROWS: answer = read_rows(cursor, part, values); break;
        }
        if (answer != READ) {
            return answer;
        }
        values += part->kind == MAYBE ? part->inner.kept : part->kept;
    }
    return READ;
}

/* The kept values of `frame`; NULL where it is not in the shape, or with an exception. */
static PyObject *
values_of(Shape *self, PyObject *frame)
{
    if (!PyBytes_Check(frame)) {
        return NULL;
    }
    const char *start = PyBytes_AS_STRING(frame);
    Cursor cursor = {start, start + PyBytes_GET_SIZE(frame), self->names};
    Cursor ahead = cursor;
    if (!read_literal(&ahead, &self->sequence.parts[0].literal)) {
        return NULL;
    }
    PyObject *values = PyTuple_New(self->sequence.kept);
    if (values == NULL) {
        return NULL;
    }
    Answer answer = read_sequence(&cursor, &self->sequence, ((PyTupleObject *)values)->ob_item);
    if (answer != READ || cursor.at != cursor.end) {
        Py_CLEAR(values);
    }
    return values;
}

static PyObject *
or_none(PyObject *found)
{
    return found != NULL || PyErr_Occurred() ? found : Py_NewRef(Py_None);
}

PyDoc_STRVAR(scan_doc, "scan(frame)\n--\n\nThe kept values of `frame`, or None where it is not bytes in the shape.");

static PyObject *
shape_scan(Shape *self, PyObject *frame)
{
    return or_none(values_of(self, frame));
}

/* Making and unmaking a shape */

static void
free_sequence(Sequence *sequence)
{
    for (Py_ssize_t nth = 0; nth < sequence->count; nth++) {
        Part *part = &sequence->parts[nth];
        Py_XDECREF(part->literal.name);
        for (Py_ssize_t choice = 0; choice < part->choice_count; choice++) {
            Py_XDECREF(part->choices[choice].word.name);
            Py_XDECREF(part->choices[choice].meaning);
        }
        PyMem_Free(part->choices);
        free_sequence(&part->inner);
    }
    PyMem_Free(sequence->parts);
}

static Word
word_of(PyObject *bytes)
{
    return (Word){PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), Py_NewRef(bytes)};
}

static int
make_sequence(Sequence *sequence, PyObject *parts);

static int
make_choices(Part *part, PyObject *pairs)
{
    Py_ssize_t count = PyTuple_GET_SIZE(pairs);
    part->choices = PyMem_Calloc(count ? count : 1, sizeof(Choice));
    if (part->choices == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; part->choice_count < count; part->choice_count++) {
        PyObject *word, *meaning;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(pairs, part->choice_count), "SO", &word, &meaning)) {
            return -1;
        }
        part->choices[part->choice_count] = (Choice){word_of(word), Py_NewRef(meaning)};
    }
    return 0;
}

/* `field` is a tuple: what it is, whether it is kept, and what it may be. */
static int
make_field(Part *part, PyObject *field)
{
    static const char *const names[] = {"", "text", "number", "integer", "choice", "maybe", "rows"};
    const char *name;
    PyObject *inner;
    if (!PyArg_ParseTuple(field, "spO!;a field is (name, kept, bounds)", &name, &part->kept, &PyTuple_Type, &inner)) {
        return -1;
    }
    for (part->kind = TEXT; part->kind <= ROWS && strcmp(name, names[part->kind]) != 0; part->kind++) {
    }
    switch (part->kind) {
    case TEXT: return PyArg_ParseTuple(inner, "nn", &part->shortest, &part->longest) ? 0 : -1;
    case NUMBER: return PyArg_ParseTuple(inner, "dd", &part->low, &part->high) ? 0 : -1;
    case INTEGER: return PyArg_ParseTuple(inner, "LL", &part->least, &part->most) ? 0 : -1;
    case CHOICE: return make_choices(part, inner);
    case MAYBE:
    case ROWS: return make_sequence(&part->inner, inner);
    default: PyErr_Format(PyExc_ValueError, "no field is called %s", name); return -1;
    }
}

static int
make_sequence(Sequence *sequence, PyObject *parts)
{
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    if (count == 0 || !PyBytes_Check(PyTuple_GET_ITEM(parts, 0))) {
        PyErr_SetString(PyExc_ValueError, "a sequence begins with a literal: what it is is seen by that");
        return -1;
    }
    sequence->parts = PyMem_Calloc(count, sizeof(Part));
    if (sequence->parts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; sequence->count < count; sequence->count++) {
        Part *part = &sequence->parts[sequence->count];
        PyObject *given = PyTuple_GET_ITEM(parts, sequence->count);
        if (PyBytes_Check(given)) {
            part->literal = word_of(given); /* and its kind is 0 */
        }
        else if (make_field(part, given) < 0) {
            sequence->count++; /* so that what it holds already is given back */
            return -1;
        }
        sequence->kept += part->kind == MAYBE ? part->inner.kept : part->kept;
    }
    return 0;
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
    if (self != NULL && make_sequence(&self->sequence, parts) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
shape_dealloc(Shape *self)
{
    PyTypeObject *type = Py_TYPE(self);
    free_sequence(&self->sequence);
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
} Reader;

#define NANOSECONDS_PER_MILLISECOND 1000000

/* What is the same for rows of one symbol. */
typedef struct {
    PyObject *symbol; /* borrowed of the row */
    PyObject *asset;
    double coins;
} Contract;

/* Whether the contract called `symbol` is one of so and so many coins. */
static int
find_contract(Contract *contract, Reader *self, PyObject *symbol)
{
    PyObject *instrument = Py_XNewRef(PyDict_GetItemWithError(self->listed, symbol));
    if (instrument == NULL && !PyErr_Occurred()) {
        instrument = PyObject_CallOneArg(self->by_name, symbol);
    }
    PyObject *coins = instrument == NULL || instrument == Py_None ? NULL
                                                                  : PyObject_GetAttr(instrument, self->state->coins);
    contract->coins = coins == NULL ? 0.0 : PyFloat_AsDouble(coins);
    contract->symbol = symbol;
    if (contract->coins > 0.0) {
        Py_XSETREF(contract->asset, PyObject_GetAttr(instrument, self->state->asset));
    }
    Py_XDECREF(instrument);
    Py_XDECREF(coins);
    return contract->coins > 0.0 && contract->asset != NULL;
}

/* The liquidation of `row`; NULL where it is not for us, or with an exception. */
static PyObject *
liquidation_of(Reader *self, PyObject *row, const Contract *contract, long long ts_event, PyObject *ts_recv)
{
    PyObject *price = PyTuple_GET_ITEM(row, self->price), *size = PyTuple_GET_ITEM(row, self->size);
    double quantity = PyFloat_AsDouble(size) * contract->coins;
    PyObject *amount = contract->coins == 1.0 ? Py_NewRef(size) : PyFloat_FromDouble(quantity);
    PyObject *usd = PyFloat_FromDouble(quantity * PyFloat_AsDouble(price));
    PyObject *when = PyLong_FromLongLong(ts_event);
    PyObject *event = NULL;
    if (amount != NULL && usd != NULL && when != NULL && !PyErr_Occurred()) {
        PyObject *fields[] = {self->venue, contract->symbol, contract->asset, PyTuple_GET_ITEM(row, self->side), price,
                              self->basis, amount, usd, when, ts_recv, size};
        event = PyObject_Vectorcall(self->make, fields, sizeof(fields) / sizeof(fields[0]), NULL);
    }
    Py_XDECREF(amount);
    Py_XDECREF(usd);
    Py_XDECREF(when);
    return event;
}

/* All of `rows` or nothing: another contract, a time to come, or two rows of one time are for the general way. */
static PyObject *
liquidations_of(Reader *self, PyObject **rows, Py_ssize_t count, PyObject *symbol, PyObject *ts_recv)
{
    long long received = PyLong_AsLongLong(ts_recv), latest = 0;
    Contract contract = {NULL, NULL, 0.0};
    PyObject *events = received == -1 && PyErr_Occurred() ? NULL : PyList_New(count);
    for (Py_ssize_t nth = 0; events != NULL && nth < count; nth++) {
        PyObject *row = rows[nth], *event = NULL;
        PyObject *named = symbol != NULL ? symbol : PyTuple_GET_ITEM(row, self->symbol);
        long long when = PyLong_AsLongLong(PyTuple_GET_ITEM(row, self->milliseconds));
        if (when > latest && when < LLONG_MAX / NANOSECONDS_PER_MILLISECOND &&
            when * NANOSECONDS_PER_MILLISECOND - self->tolerance <= received &&
            (named == contract.symbol || find_contract(&contract, self, named))) {
            event = liquidation_of(self, row, &contract, when * NANOSECONDS_PER_MILLISECOND, ts_recv);
        }
        if (event == NULL) {
            Py_CLEAR(events);
            break;
        }
        latest = when;
        PyList_SET_ITEM(events, nth, event);
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
    PyObject *values = values_of(self->shape, arguments[0]), *events;
    if (values == NULL) {
        return or_none(NULL);
    }
    if (self->rows < 0) {
        events = liquidations_of(self, &values, 1, NULL, arguments[1]);
    }
    else {
        PyObject *rows = PyTuple_GET_ITEM(values, self->rows);
        PyObject *symbol = self->symbol < 0 ? PyTuple_GET_ITEM(values, -1 - self->symbol) : NULL;
        events = liquidations_of(self, ((PyListObject *)rows)->ob_item, PyList_GET_SIZE(rows), symbol, arguments[1]);
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
    PyObject *shape, *make, *venue, *basis, *listed, *by_name;
    Reader given = {0};
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Reader takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!OOO(O!O)L(nnnnnn):Reader", state->shape, &shape, &make, &venue, &basis, &PyDict_Type, &listed,
                          &by_name, &given.tolerance, &given.rows, &given.symbol, &given.side, &given.price, &given.size,
                          &given.milliseconds)) {
        return NULL;
    }
    const Sequence *sequence = &((Shape *)shape)->sequence;
    Py_ssize_t width = width_of(sequence, given.rows);
    int named = given.symbol < 0 ? given.rows >= 0 && is_place(-1 - given.symbol, sequence->kept)
                                 : is_place(given.symbol, width);
    if (!named || !is_place(given.side, width) || !is_place(given.price, width) || !is_place(given.size, width) ||
        !is_place(given.milliseconds, width)) {
        PyErr_SetString(PyExc_ValueError, "a place is none of the shape's values");
        return NULL;
    }
    Reader *self = (Reader *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = state;
    self->shape = (Shape *)Py_NewRef(shape);
    self->make = Py_NewRef(make);
    self->venue = Py_NewRef(venue);
    self->basis = Py_NewRef(basis);
    self->listed = Py_NewRef(listed);
    self->by_name = Py_NewRef(by_name);
    self->tolerance = given.tolerance;
    self->rows = given.rows;
    self->symbol = given.symbol;
    self->side = given.side;
    self->price = given.price;
    self->size = given.size;
    self->milliseconds = given.milliseconds;
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
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)(void (*)(void))reader_read, METH_FASTCALL, read_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "Reader(shape, make, venue, basis, (listed, by_name), tolerance, places)"},
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
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->shape);
    Py_CLEAR(state->coins);
    Py_CLEAR(state->asset);
    return 0;
}

static void
scan_free(void *module)
{
    scan_clear(module);
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
