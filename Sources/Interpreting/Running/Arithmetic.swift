import Results
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The operators on values. Numbers and anything that has numbers inside combine element by element; a
/// missing operand gives a missing result; lists combine with lists of their length and with single values.
package enum Arithmetic {
    package enum Operator: String, Sendable {
        case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%", power = "^"

        func callAsFunction(_ a: Double, _ b: Double) -> Double {
            switch self {
            case .add: a + b
            case .subtract: a - b
            case .multiply: a * b
            case .divide: a / b
            // The sign of the divisor, so that `item % 3` counts 0, 1, 2 whatever the item.
            case .remainder: a - b * (a / b).rounded(.down)
            case .power: pow(a, b)
            }
        }
    }

    package static func combine(_ op: Operator, _ a: Value, _ b: Value) throws -> Value {
        try elementwise(a, b, named: "`\(op.rawValue)`") { op($0, $1) }
    }

    package static func negate(_ value: Value) throws -> Value {
        try map(value, named: "`-`") { -$0 }
    }

    /// `body` of every number in `value`; the kind of value stays.
    package static func map(_ value: Value, named name: String, _ body: (Double) -> Double) throws -> Value {
        switch value {
        case .none: return .none
        case .number(let number): return .number(body(number))
        case .measure(let measure): return .measure(measure.map(body))
        case .list(let values): return .list(try values.map { try map($0, named: name, body) })
        default:
            guard let tensor = try value.elements() else { throw unsuitable(value, for: name) }
            return dress(tensor.map { Float(body(Double($0))) }, as: [value])
        }
    }

    /// `body` of each pair of numbers. Computes in double and stores tensors as float.
    package static func elementwise(
        _ a: Value, _ b: Value, named name: String, _ body: (Double, Double) -> Double
    ) throws -> Value {
        switch (a, b) {
        case (.none, _), (_, .none): return .none
        case (.number(let x), .number(let y)): return .number(body(x, y))
        case (.measure(let x), .measure(let y)): return .measure(x.combined(with: y, body))
        case (.measure(let x), .number(let y)): return .measure(x.map { body($0, y) })
        case (.number(let x), .measure(let y)): return .measure(y.map { body(x, $0) })
        case (.list(let x), .list(let y)):
            guard x.count == y.count else {
                throw Complaint(
                    .differentLengths, "lists of \(x.count) and \(y.count) values do not pair up",
                    label: "lengths differ")
            }
            return .list(try zip(x, y).map { try elementwise($0, $1, named: name, body) })
        case (.list(let x), _): return .list(try x.map { try elementwise($0, b, named: name, body) })
        case (_, .list(let y)): return .list(try y.map { try elementwise(a, $0, named: name, body) })
        case (.number(let x), _):
            guard let y = try b.elements() else { throw unsuitable(b, for: name) }
            return dress(y.map { Float(body(x, Double($0))) }, as: [b])
        case (_, .number(let y)):
            guard let x = try a.elements() else { throw unsuitable(a, for: name) }
            return dress(x.map { Float(body(Double($0), y)) }, as: [a])
        default:
            guard let x = try a.elements() else { throw unsuitable(a, for: name) }
            guard let y = try b.elements() else { throw unsuitable(b, for: name) }
            guard x.shape == y.shape else {
                throw Complaint(
                    .differentLengths, "shapes differ: \(x.shape.shapeText) and \(y.shape.shapeText)",
                    label: "elementwise needs equal shapes")
            }
            return dress(x.zip(y) { Float(body(Double($0), Double($1))) }, as: [a, b])
        }
    }

    /// The numbers as the kind of value that `sources` make together: a latent if one of them is, and so on.
    private static func dress(_ tensor: Tensor, as sources: [Value]) -> Value {
        for case .latent(let latent) in sources {
            return .latent(Latent(tensor: tensor, model: latent.model, origin: .computed))
        }
        for case .embedding(let embedding) in sources {
            return .embedding(Embedding(states: tensor, model: embedding.model))
        }
        if sources.allSatisfy({ $0.kind == .image }) {
            let isStandIn = sources.contains {
                if case .picture(let picture) = $0 { picture.isStandIn } else { false }
            }
            return .picture(Picture(values: tensor, isStandIn: isStandIn))
        }
        return .tensor(tensor)
    }

    static func unsuitable(_ value: Value, for name: String) -> Complaint {
        unsuitable(value.kind, for: name)
    }

    static func unsuitable(_ kind: ValueKind, for name: String) -> Complaint {
        let cure: String? =
            switch kind {
            case .table: "use one of its columns: `t.NAME`"
            case .record: "use one of its fields: `r.NAME`"
            case .text: "text joins by interpolation: \"\\(a) and \\(b)\""
            default: nil
            }
        return Complaint(
            .wrongOperands, "\(name) does not work on \(kind.phrase)", label: "this is \(kind.phrase)",
            help: cure)
    }

    static func incomparable(_ comparison: String, _ a: ValueKind, _ b: ValueKind) -> Complaint {
        Complaint(
            .wrongOperands, "`\(comparison)` cannot compare \(a.phrase) with \(b.phrase)",
            label: a == b ? "such values have no order and are not compared" : "the kinds differ")
    }

    /// Where yes or no is needed.
    static func noCondition(_ kind: ValueKind) -> Complaint {
        guard kind == .list else {
            return Complaint(
                .wrongOperands, "a condition is needed here, and this is \(kind.phrase)",
                label: "neither yes nor no")
        }
        return Complaint(
            .wrongOperands, "a condition is needed here, and this is a list",
            label: "one yes or no per element",
            help: "ask for one number first: `min(list)`, `max(list)`, `sum(list)`")
    }

    // MARK: Comparison and logic

    package enum Comparison: String, Sendable {
        case equal = "==", unequal = "!=", less = "<", greater = ">", atMost = "<=", atLeast = ">="
    }

    /// Numbers by size, texts by their characters' order; lists element by element. Only `==` and `!=`
    /// compare other kinds.
    package static func compare(_ comparison: Comparison, _ a: Value, _ b: Value) throws -> Value {
        switch (a, b) {
        case (.list(let x), .list(let y)):
            guard x.count == y.count else {
                throw Complaint(
                    .differentLengths, "lists of \(x.count) and \(y.count) values do not pair up",
                    label: "lengths differ")
            }
            return .list(try zip(x, y).map { try compare(comparison, $0, $1) })
        case (.list(let x), _): return .list(try x.map { try compare(comparison, $0, b) })
        case (_, .list(let y)): return .list(try y.map { try compare(comparison, a, $0) })
        case (.number(let x), .number(let y)): return .boolean(holds(comparison, x, y))
        // By the values; `claim` asks every replicate.
        case (.measure(let x), .measure(let y)): return .boolean(holds(comparison, x.value, y.value))
        case (.measure(let x), .number(let y)): return .boolean(holds(comparison, x.value, y))
        case (.number(let x), .measure(let y)): return .boolean(holds(comparison, x, y.value))
        case (.text(let x), .text(let y)): return .boolean(holds(comparison, x, y))
        case (.none, _), (_, .none):
            switch comparison {
            case .equal: return .boolean(a.isNone && b.isNone)
            case .unequal: return .boolean(!(a.isNone && b.isNone))
            default: return .none
            }
        case (.boolean(let x), .boolean(let y)):
            if comparison == .equal { return .boolean(x == y) }
            if comparison == .unequal { return .boolean(x != y) }
            throw Complaint(
                .wrongOperands, "yes and no have no order",
                label: "cannot compare with `\(comparison.rawValue)`")
        default: throw incomparable(comparison.rawValue, a.kind, b.kind)
        }
    }

    private static func holds<T: Comparable>(_ comparison: Comparison, _ a: T, _ b: T) -> Bool {
        switch comparison {
        case .equal: a == b
        case .unequal: a != b
        case .less: a < b
        case .greater: a > b
        case .atMost: a <= b
        case .atLeast: a >= b
        }
    }

    /// yes or no, for `if`, `and`, conditions. A missing value counts as no.
    package static func truth(_ value: Value) throws -> Bool {
        switch value {
        case .boolean(let truth): return truth
        case .none: return false
        default: throw noCondition(value.kind)
        }
    }

    // MARK: Ranges

    /// `first..last` or `first..last:step`, both ends included where the step meets them; counts down if
    /// `last` is below `first`.
    package static func range(from first: Double, to last: Double, by step: Double?) throws -> [Value] {
        guard first.isFinite, last.isFinite else {
            throw Complaint(.outOfRange, "a range needs finite ends", label: "not finite")
        }
        let size = abs(step ?? 1)
        guard size > 0, size.isFinite else {
            throw Complaint(
                .outOfRange, "the step of a range cannot be \(NumberFormat.plain(step ?? 0))",
                label: "would never end")
        }
        // The end counts as met when rounding alone keeps it away: 0..1:0.1 has eleven values.
        let count = (abs(last - first) / size + 1e-9).rounded(.down) + 1
        guard count <= 100_000 else {
            throw Complaint(
                .outOfRange, "a range of \(NumberFormat.plain(count)) values is too long",
                label: "at most 100,000 values")
        }
        let signed = last < first ? -size : size
        return (0..<Int(count)).map { i in
            let value = first + Double(i) * signed
            // 0.30000000000000004 is meant to be 0.3.
            let tidy = (value * 1e12).rounded() / 1e12
            return .number(tidy.isFinite && abs(tidy - value) < 1e-9 * max(1, abs(value)) ? tidy : value)
        }
    }
}
