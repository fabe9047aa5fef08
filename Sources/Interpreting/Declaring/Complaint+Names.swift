import Results
import SourceText

/// What is said of names that stand for nothing: the check before running and the run say it in the same
/// words.
extension Complaint {
    static func unknownVerb(_ name: String, among known: [String]) -> Complaint {
        Complaint(
            .unknownVerb, "there is no verb `\(name)`",
            label: Suggestion.question(for: name, in: known) ?? "not known")
    }

    static func unknownFunction(_ name: String) -> Complaint {
        let functions = Function.allCases.map(\.rawValue)
        return Complaint(
            .unknownFunction, "there is no function `\(name)`",
            label: ForeignWord.function(name) ?? Suggestion.question(for: name, in: functions) ?? "not known",
            help: "functions: " + functions.joined(separator: " "))
    }

    static func wrongArity(_ function: Function, _ count: Int) -> Complaint {
        Complaint(
            .wrongOperands, "`\(function.rawValue)` takes \(function.arityPhrase), \(count) given",
            label: "usage: \(function.usage)")
    }

    static func verbAsValue(_ name: String) -> Complaint {
        Complaint(
            .verbAsValue, "`\(name)` is a verb",
            label: "the column is `.\(name)`; a command stands in brackets: `(\(name) ...)`")
    }

    static func noRow(_ column: String) -> Complaint {
        Complaint(
            .missingColumn, "`.\(column)` is a column, and there is no row here",
            label: "no table to read it from",
            help: "name the table: `t.\(column)`")
    }

    /// - Parameters:
    ///   - name: with its fields, as it was written.
    ///   - first: the part of it before the first point.
    static func noColumn(_ name: String, _ first: String, among columns: [String]) -> Complaint {
        Complaint(
            .missingColumn, "the table has no column `\(name)`",
            label: Suggestion.question(for: first, in: columns) ?? "no such column",
            help: "columns: " + columns.joined(separator: " "))
    }

    static func unknownVariable(_ name: String, label: String? = nil) -> Complaint {
        Complaint(
            .unknownName, "there is no variable `\(name)`",
            label: label ?? ForeignWord.value(name) ?? "not known here")
    }

    /// - Parameter known: all that could be meant.
    static func unknownInRow(_ name: String, among known: [String], columns: [String]) -> Complaint {
        Complaint(
            .unknownName, "there is no column or variable `\(name)`",
            label: Suggestion.question(for: name, in: known) ?? ForeignWord.value(name) ?? "not known here",
            help: "columns: " + columns.joined(separator: " "))
    }

    static func unknownField(_ name: String, of kind: ValueKind, among known: [String]) -> Complaint {
        Complaint(
            .unknownField, "\(kind.phrase) here has no `\(name)`",
            label: Suggestion.question(for: name, in: known)
                ?? "it has " + (known.isEmpty ? "no fields" : known.prefix(16).joined(separator: ", ")))
    }

    static func declaredInBlock(_ name: String) -> Complaint {
        Complaint(.malformedStatement, "`\(name)` cannot be declared inside a block", label: "move it above")
    }
}
