/* Reading a frame. */

#include "_scan_value.h"

#define FEW 16

static Answer
read_sequence(Cursor *cursor, const Sequence *sequence, PyObject **values);

/* Rows as they come: nearly always so few that they find room here. */
typedef struct {
    PyObject *few[FEW];
    PyObject **rows;
    Py_ssize_t count;
    Py_ssize_t room;
} Gathered;

static int
gather(Gathered *gathered, PyObject *row)
{
    if (gathered->count == gathered->room) {
        Py_ssize_t room = gathered->room * 4;
        PyObject **more = gathered->rows == gathered->few ? PyMem_New(PyObject *, room)
                                                          : PyMem_Resize(gathered->rows, PyObject *, room);
        if (more == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (gathered->rows == gathered->few) {
            memcpy(more, gathered->few, sizeof(gathered->few));
        }
        gathered->rows = more;
        gathered->room = room;
    }
    gathered->rows[gathered->count++] = row;
    return 0;
}

/* One sequence or more with commas between, each a tuple. */
static Answer
gather_rows(Cursor *cursor, const Part *part, Gathered *gathered)
{
    for (;;) {
        PyObject *row = PyTuple_New(part->inner.kept);
        if (row == NULL) {
            return FAILED;
        }
        if (gather(gathered, row) < 0) {
            Py_DECREF(row);
            return FAILED;
        }
        Answer answer = read_sequence(cursor, &part->inner, ((PyTupleObject *)row)->ob_item);
        if (answer != READ || cursor->at == cursor->end || *cursor->at != ',') {
            return answer;
        }
        cursor->at++;
    }
}

static Answer
read_rows(Cursor *cursor, const Part *part, PyObject **value)
{
    Gathered gathered;
    gathered.rows = gathered.few;
    gathered.count = 0;
    gathered.room = FEW;
    Answer answer = gather_rows(cursor, part, &gathered);
    int kept = part->kept && answer == READ;
    if (kept && (*value = PyTuple_New(gathered.count)) == NULL) {
        kept = 0;
        answer = FAILED;
    }
    for (Py_ssize_t nth = 0; nth < gathered.count; nth++) {
        if (kept) {
            PyTuple_SET_ITEM(*value, nth, gathered.rows[nth]);
        }
        else {
            Py_DECREF(gathered.rows[nth]);
        }
    }
    if (gathered.rows != gathered.few) {
        PyMem_Free(gathered.rows);
    }
    return answer;
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

/* The first sequence whose first literal is next. */
static Answer
read_either(Cursor *cursor, const Part *part, PyObject **values)
{
    for (const Sequence *way = part->ways; way < part->ways + part->way_count; way++) {
        Cursor ahead = *cursor;
        if (read_literal(&ahead, &way->parts[0].literal)) {
            return read_sequence(cursor, way, values);
        }
    }
    return OTHER;
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
        case MOMENT: answer = read_moment(cursor, part, values); break;
        case CHOICE: answer = read_choice(cursor, part, values); break;
        case MAYBE: answer = read_maybe(cursor, part, values); break;
        case EITHER: answer = read_either(cursor, part, values); break;
        case ROWS: answer = read_rows(cursor, part, values); break;
        }
        if (answer != READ) {
            return answer;
        }
        values += part->gives;
    }
    return READ;
}

PyObject *
liquake_read(const Sequence *sequence, PyObject **names, PyObject *frame)
{
    if (!PyBytes_Check(frame)) {
        return NULL;
    }
    const char *start = PyBytes_AS_STRING(frame);
    Cursor cursor = {start, start + PyBytes_GET_SIZE(frame), names};
    Cursor ahead = cursor;
    if (!read_literal(&ahead, &sequence->parts[0].literal)) {
        return NULL;
    }
    PyObject *values = PyTuple_New(sequence->kept);
    if (values == NULL) {
        return NULL;
    }
    Answer answer = read_sequence(&cursor, sequence, ((PyTupleObject *)values)->ob_item);
    if (answer != READ || cursor.at != cursor.end) {
        Py_CLEAR(values);
    }
    return values;
}
