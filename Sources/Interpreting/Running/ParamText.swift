import Results
import Syntax

/// Values of params as text: read as the command line gives them, by the kind of a default, and written as a
/// program says them. A number; `yes` or `no`; a text as it is or in double quotes; a list as its items with
/// commas between, ranges among its numbers.
package enum ParamText {
    /// The parts between commas, without the spaces around each: `"a cat, sitting", dog` are two. A comma in
    /// quotes is none, unless a quote is left over.
    package static func split(_ text: String) -> [String] {
        let (parts, isClosed) = parts(of: text, heedsQuotes: true)
        let all = isClosed ? parts : Self.parts(of: text, heedsQuotes: false).parts
        return all.count == 1 ? all : all.map(trimmed)
    }

    private static func parts(of text: String, heedsQuotes: Bool) -> (parts: [String], isClosed: Bool) {
        var parts = [""]
        var isQuoted = false, isEscaped = false
        for character in text {
            if character == "\"", !isEscaped, heedsQuotes { isQuoted.toggle() }
            isEscaped = character == "\\" && isQuoted && !isEscaped
            if character == ",", !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return (parts, !isQuoted)
    }

    /// A text without the quotes around it, in which `\"` and `\\` stand for a quote and a backslash. Quotes
    /// that do not hold all of it belong to it.
    package static func unquoted(_ text: String) -> String {
        guard text.hasPrefix("\"") else { return text }
        var inner = ""
        var isEscaped = false
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            if isEscaped {
                if character != "\"", character != "\\" { inner.append("\\") }
                inner.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                return rest.isEmpty ? inner : text
            } else {
                inner.append(character)
            }
        }
        return text
    }

    /// The text in quotes, so that `unquoted` gives it again whatever is in it.
    package static func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }

    /// The value that text from outside means for a param whose default is `standard`; nil where it means
    /// none.
    package static func value(_ text: String, like standard: Value) -> Value? {
        switch standard {
        case .number: return Double(trimmed(text)).map { .number($0) }
        case .boolean: return ["yes": .boolean(true), "no": .boolean(false)][trimmed(text)]
        case .text: return .text(unquoted(text))
        case .list(let values):
            if trimmed(text).isEmpty { return .list([]) }
            // `[3,4]` for `3,4`: of texts the brackets would become part of the first and the last.
            if isBracketed(text) { return nil }
            // In this order: everything reads as a text.
            let kinds = [ValueKind.number, .boolean, .text].compactMap { kind in
                values.first { $0.kind == kind }
            }
            let items = split(text).map { part -> [Value]? in
                if part.isEmpty { return nil }
                for kind in kinds {
                    if case .number = kind, let range = range(part) { return range }
                    if let value = value(part, like: kind) { return [value] }
                }
                return nil
            }
            return items.contains { $0 == nil } ? nil : .list(items.compactMap { $0 }.joined().map { $0 })
        default: return nil
        }
    }

    package static func isBracketed(_ text: String) -> Bool {
        trimmed(text).hasPrefix("[") && trimmed(text).hasSuffix("]")
    }

    /// `20..60` and `20..60:10`, of at most 100,000 numbers.
    private static func range(_ text: String) -> [Value]? {
        guard let points = text.firstRange(of: "..") else { return nil }
        let rest = text[points.upperBound...].split(separator: ":", omittingEmptySubsequences: false)
        guard let low = Double(text[..<points.lowerBound]), let high = rest.first.flatMap({ Double($0) }),
            rest.count <= 2
        else { return nil }
        let step = rest.count == 2 ? Double(rest[1]) : low <= high ? 1 : -1
        guard let step, step != 0, step.isFinite, low.isFinite, high.isFinite, (high - low) / step >= 0,
            (high - low) / step < 100_000
        else { return nil }
        return (0...Int((high - low) / step + 1e-9)).map { .number(low + Double($0) * step) }
    }

    /// What to write for a param in place of `text`, which does not read like its default.
    package static func cure(_ name: String, _ text: String, like standard: Value) -> String {
        switch standard {
        case .number where isBracketed(text), .boolean where isBracketed(text):
            return "write \(name)=\(unbracketed(text)), which runs once for each"
        case .number: return "write a number: \(name)=\(standard.summary)"
        case .boolean: return "write \(name)=yes or \(name)=no"
        case .list(let values) where !values.isEmpty:
            let plain = unbracketed(text)
            if value(plain, like: standard) != nil, !plain.isEmpty { return "write \(name)=\(plain)" }
            return values.allSatisfy { $0.kind == .text }
                ? "write its texts with commas between: \(name)=a,b"
                : "write its items with commas between: \(name)=3,4 or \(name)=20..60:10"
        default:
            return "a param can be set where its default is a number, a text, yes or no, or a list of these"
        }
    }

    /// `[3, 4]` as `3,4`.
    private static func unbracketed(_ text: String) -> String {
        split(isBracketed(text) ? String(trimmed(text).dropFirst().dropLast()) : text).filter { !$0.isEmpty }
            .joined(separator: ",")
    }

    /// The value as a program says it; nil for what cannot be said in a few words, a table, say.
    package static func written(_ value: Value) -> String? {
        switch value {
        case .none: return "none"
        case .boolean(let truth): return truth ? "yes" : "no"
        // Literals are finite; -0 is a minus before 0.
        case .number(let number) where number.isNaN: return "0/0"
        case .number(let number) where number.isInfinite: return number > 0 ? "1/0" : "-1/0"
        case .number(let number) where number == 0 && number.sign == .minus: return "-0"
        case .number(let number): return Printer.number(number)
        case .text(let text): return Printer.quoted(text)
        case .list(let values):
            let items = values.map(written)
            return items.contains { $0 == nil }
                ? nil : "[" + items.compactMap { $0 }.joined(separator: ", ") + "]"
        default: return nil
        }
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
