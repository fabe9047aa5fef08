import Results

/// What the check before running knows of the kind of values: of a column's values that are not missing, or
/// of an expression's value.
enum KindGuess: Equatable {
    case one(ValueKind)
    /// A list of values that all are of this kind.
    case list(ValueKind)

    init?(_ values: [Value]) {
        let kinds = Set(values.map(\.kind)).subtracting([.none])
        guard kinds.count == 1, let kind = kinds.first else { return nil }
        guard kind == .list else {
            self = .one(kind)
            return
        }
        let elements = values.flatMap { value -> [Value] in
            if case .list(let elements) = value { elements } else { [] }
        }
        guard case .one(let element)? = KindGuess(elements) else { return nil }
        self = .list(element)
    }

    /// The kind of what operators combine, one by one.
    var element: ValueKind {
        switch self {
        case .one(let kind), .list(let kind): kind
        }
    }

    var isList: Bool { if case .list = self { true } else { false } }

    /// Numbers and measures, which combine.
    var isNumeric: Bool { element == .number || element == .measure }

    /// The list of such values, such as a column of them; nil of lists.
    var listed: KindGuess? { if case .one(let kind) = self { .list(kind) } else { nil } }

    /// What two of them give together, element by element.
    static func combined(_ a: KindGuess, _ b: KindGuess, _ kind: ValueKind) -> KindGuess {
        a.isList || b.isList ? .list(kind) : .one(kind)
    }
}

extension ValueGuess {
    var kindGuess: KindGuess? {
        switch self {
        case .among(let values): KindGuess(values)
        case .kind(let kind): kind == .list || kind == .mixed ? nil : .one(kind)
        case .table: .one(.table)
        case .unknown: nil
        }
    }
}
