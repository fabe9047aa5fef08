import Results
import SourceText
import Syntax
import Tensors

/// Names, with the points behind them.
extension Evaluator {
    /// The longest dotted name that is a column, else a variable; what is left are fields.
    func chain(_ expression: Expression) throws -> Value {
        var fields: [Name] = []
        var base = expression
        while case .field(let inner, let field) = base.kind {
            fields.insert(field, at: 0)
            base = inner
        }
        switch base.kind {
        case .name(let name):
            let all = [name] + fields.map(\.text)
            if let row, let (value, used) = column(all, of: row) {
                return try access(value, fields.dropFirst(used - 1))
            }
            guard let value = scope[name] else { throw unknownName(name, at: base.span) }
            session.noteReading(scope.unfinished(name))
            return try access(value, fields[...])
        case .column(let name):
            guard let row else {
                if let value = scope.rowValue(name.text) { return try access(value, fields[...]) }
                throw diagnostic(.noRow(name.text), at: expression.span)
            }
            let all = [name.text] + fields.map(\.text)
            guard let (value, used) = column(all, of: row) else {
                let complaint = Complaint.noColumn(
                    all.joined(separator: "."), name.text, among: row.table.columnNames)
                throw diagnostic(complaint, at: expression.span)
            }
            return try access(value, fields.dropFirst(used - 1))
        default:
            return try access(try evaluate(base), fields[...])
        }
    }

    func column(_ names: [String], of row: (table: Table, index: Int)) -> (Value, used: Int)? {
        for used in stride(from: names.count, to: 0, by: -1) {
            if let value = row.table.value(names.prefix(used).joined(separator: "."), row.index) {
                return (value, used)
            }
        }
        return nil
    }

    func access(_ value: Value, _ fields: ArraySlice<Name>) throws -> Value {
        guard let first = fields.first else { return value }
        let names = fields.map(\.text)
        func longest(_ find: (String) throws -> Value?, among known: [String]) throws -> Value {
            for used in stride(from: names.count, to: 0, by: -1) {
                if let found = try find(names.prefix(used).joined(separator: ".")) {
                    return try access(found, fields.dropFirst(used))
                }
            }
            let wanted = names.joined(separator: ".")
            throw diagnostic(.unknownField(wanted, of: value.kind, among: known), at: first.span)
        }
        switch value {
        case .table(let table):
            return try longest({ table.column($0).map { .list($0.values) } }, among: table.columnNames)
        case .record(let record): return try longest({ record[$0] }, among: record.fields.map(\.name))
        case .model(let model): return try longest({ try model.field($0) }, among: model.fieldNames)
        case .measure(let measure):
            return try longest({ measure.field($0).map { .number($0) } }, among: Measure.fieldNames)
        case .list(let values): return .list(try values.map { try access($0, fields) })
        case .none: return .none
        default:
            throw diagnostic(
                Complaint(
                    .unknownField, "\(value.kind.phrase) has no fields",
                    label: "only tables, records, measures and models have"), at: first.span)
        }
    }

    func element(of value: Value, at index: Value, span: Span) throws -> Value {
        guard case .number(let number) = index, let wanted = Int(exactly: number) else {
            throw diagnostic(
                Complaint(
                    .wrongType, "an index is a whole number, and this is \(index.summary)",
                    label: index.kind.phrase), at: span)
        }
        let count: Int
        switch value {
        case .table(let table): count = table.rowCount
        case .list(let values): count = values.count
        case .tensor(let tensor) where tensor.rank > 0: count = tensor.shape[0]
        default:
            throw diagnostic(
                Complaint(
                    .wrongType, "\(value.kind.phrase) has no elements to pick",
                    label: "only lists, tables and tensors have"), at: span)
        }
        // From the end, as -1 for the last.
        let place = wanted < 0 ? wanted + count : wanted
        guard place >= 0, place < count else {
            throw diagnostic(
                Complaint(
                    .indexOutside, "there is no element \(wanted)",
                    label: count == 0 ? "it is empty" : "they are numbered 0 to \(count - 1)"), at: span)
        }
        switch value {
        case .table(let table): return .record(table.row(place))
        case .list(let values): return values[place]
        case .tensor(let tensor):
            return tensor.rank == 1 ? .number(Double(tensor.values[place])) : .tensor(tensor[place])
        default: preconditionFailure("only what has a count has elements")
        }
    }
}
