import Results
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The functions of expressions. With one argument `min max mean sum` reduce everything in it to one number;
/// with several they work element by element, so that `max(min(x, 1), -1)` clamps.
package enum Function: String, Sendable, CaseIterable {
    case min, max, mean, sum, sqrt, exp, log, abs, round, length, `if`, falling, rising, difference

    /// How many arguments it takes.
    package var arity: ClosedRange<Int> {
        switch self {
        case .min, .max, .mean, .sum: 1...64
        case .sqrt, .exp, .log, .abs, .length, .falling, .rising: 1...1
        case .round: 1...2
        case .difference: 2...2
        case .if: 3...3
        }
    }

    /// Whether it makes one value of all elements of one argument.
    func folds(_ arguments: Int) -> Bool {
        switch self {
        case .min, .max, .mean, .sum: arguments == 1
        case .length, .falling, .rising: true
        default: false
        }
    }

    /// "2 arguments", "1 to 64 arguments".
    package var arityPhrase: String {
        let count =
            arity.lowerBound == arity.upperBound
            ? "\(arity.lowerBound)" : "\(arity.lowerBound) to \(arity.upperBound)"
        return count + (arity == 1...1 ? " argument" : " arguments")
    }

    package var usage: String {
        switch self {
        case .min, .max, .mean, .sum: "\(rawValue)(values) or \(rawValue)(a, b)"
        case .round: "round(x) or round(x, digits)"
        case .difference: "difference(a, b)"
        case .if: "if(condition, a, b)"
        case .falling, .rising: "\(rawValue)(list)"
        default: "\(rawValue)(x)"
        }
    }

    /// What it gives, as half a sentence.
    package var summary: String {
        switch self {
        case .min: "the smallest number of all, or of each place"
        case .max: "the largest number of all, or of each place"
        case .mean: "the mean of all numbers, or of each place"
        case .sum: "the sum of all numbers, or of each place"
        case .sqrt: "the square root"
        case .exp: "e to the power of x"
        case .log: "the natural logarithm"
        case .abs: "the distance from zero"
        case .round:
            "the nearest whole number, or the nearest with so many decimal places; halves go away from zero"
        case .length: "how many elements a list has, characters a text, rows a table"
        case .if:
            """
            a where the condition holds, else b, of lists and columns element by element; of one condition \
            only that one is computed
            """
        case .falling: "whether each number is less than the one before it"
        case .rising: "whether each number is greater than the one before it"
        case .difference: "how far a and b are apart, element by element"
        }
    }

    package func callAsFunction(_ arguments: [Value]) throws -> Value {
        guard arity.contains(arguments.count), let first = arguments.first else {
            throw Complaint.wrongArity(self, arguments.count)
        }
        let name = "`\(rawValue)`"
        switch self {
        case .min: return try reduceOrCombine(arguments, reduce: { $0.min() }) { $1 < $0 ? $1 : $0 }
        case .max: return try reduceOrCombine(arguments, reduce: { $0.max() }) { $1 > $0 ? $1 : $0 }
        case .sum: return try reduceOrCombine(arguments, reduce: { $0.reduce(0, +) }) { $0 + $1 }
        case .mean:
            if arguments.count == 1 {
                return try reduceOrCombine(
                    arguments, reduce: { $0.isEmpty ? nil : $0.reduce(0, +) / Double($0.count) }
                ) { $0 + $1 }
            }
            let total = try reduceOrCombine(arguments, reduce: { $0.first }) { $0 + $1 }
            return try Arithmetic.combine(.divide, total, .number(Double(arguments.count)))
        case .sqrt: return try Arithmetic.map(first, named: name) { $0.squareRoot() }
        case .exp: return try Arithmetic.map(first, named: name) { Foundational.exp($0) }
        case .log: return try Arithmetic.map(first, named: name) { Foundational.log($0) }
        case .abs: return try Arithmetic.map(first, named: name) { Swift.abs($0) }
        case .round:
            guard arguments.count == 2 else { return try Arithmetic.map(first, named: name) { $0.rounded() } }
            guard case .number(let digits) = arguments[1], (0...15).contains(digits) else {
                throw Complaint(.wrongOperands, "`round` takes 0 to 15 digits", label: "usage: \(usage)")
            }
            let scale = Foundational.power(10, digits.rounded())
            // A number without so many decimals is what it is; times the scale it could overflow.
            return try Arithmetic.map(first, named: name) {
                Swift.abs($0) * scale < 9e15 ? ($0 * scale).rounded() / scale : $0
            }
        case .length:
            switch first {
            case .list(let values): return .number(Double(values.count))
            case .text(let text): return .number(Double(text.count))
            case .table(let table): return .number(Double(table.rowCount))
            default: throw Arithmetic.unsuitable(first, for: name)
            }
        case .if: return try Arithmetic.truth(first) ? arguments[1] : arguments[2]
        case .falling: return try isMonotone(first) { $0 > $1 }
        case .rising: return try isMonotone(first) { $0 < $1 }
        case .difference:
            return try Arithmetic.elementwise(arguments[0], arguments[1], named: name) { Swift.abs($0 - $1) }
        }
    }

    private func reduceOrCombine(
        _ arguments: [Value], reduce: ([Double]) -> Double?, combine: (Double, Double) -> Double
    ) throws -> Value {
        guard arguments.count == 1 else {
            return try arguments.dropFirst().reduce(arguments[0]) {
                try Arithmetic.elementwise($0, $1, named: "`\(rawValue)`", combine)
            }
        }
        var measures: [(place: Int, measure: Measure)] = []
        let numbers = try numbers(in: arguments[0], &measures)
        guard let value = reduce(numbers) else { return .none }
        guard !measures.isEmpty else { return .number(value) }
        // Replicate by replicate, so that the result's interval is that of the largest, and not the interval
        // of the largest.
        let count = measures.map(\.measure.replicates.count).max() ?? 0
        let replicates = (0..<count).map { index in
            var drawn = numbers
            for (place, measure) in measures where index < measure.replicates.count {
                drawn[place] = measure.replicates[index]
            }
            return reduce(drawn) ?? value
        }
        return .measure(
            Measure(value: value, n: measures.map(\.measure.n).min() ?? 0, replicates: replicates))
    }

    /// Every number in a value, missing ones left out; `measures` are those of them that have an interval.
    private func numbers(in value: Value, _ measures: inout [(place: Int, measure: Measure)]) throws
        -> [Double]
    {
        var result: [Double] = []
        try collect(value, into: &result, &measures)
        return result
    }

    private func collect(
        _ value: Value, into numbers: inout [Double], _ measures: inout [(place: Int, measure: Measure)]
    ) throws {
        switch value {
        case .none: break
        case .number(let number): numbers.append(number)
        case .measure(let measure):
            if measure.hasInterval { measures.append((numbers.count, measure)) }
            numbers.append(measure.value)
        case .boolean(let truth): numbers.append(truth ? 1 : 0)
        case .list(let values): for value in values { try collect(value, into: &numbers, &measures) }
        default:
            guard let tensor = try value.elements() else {
                throw Arithmetic.unsuitable(value, for: "`\(rawValue)`")
            }
            numbers += tensor.values.map(Double.init)
        }
    }

    /// Missing where an element is.
    private func isMonotone(_ value: Value, _ inOrder: (Double, Double) -> Bool) throws -> Value {
        guard case .list(let values) = value else { throw Arithmetic.unsuitable(value, for: "`\(rawValue)`") }
        if values.contains(where: \.isNone) { return .none }
        let numbers = try values.map { element in
            guard let number = element.number else {
                throw Arithmetic.unsuitable(element, for: "`\(rawValue)`")
            }
            return number
        }
        return .boolean(zip(numbers, numbers.dropFirst()).allSatisfy(inOrder))
    }
}

/// The C library's functions, whose names the cases above would hide.
private enum Foundational {
    static func exp(_ x: Double) -> Double { libraryExp(x) }
    static func log(_ x: Double) -> Double { libraryLog(x) }
    static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}

private let libraryExp: @Sendable (Double) -> Double = { exp($0) }
private let libraryLog: @Sendable (Double) -> Double = { log($0) }
