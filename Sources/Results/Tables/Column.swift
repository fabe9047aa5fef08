/// A named column of a table; one value per row, `.none` where one is missing.
package struct Column: Sendable {
    package var name: String
    package var values: [Value]

    package init(_ name: String, _ values: [Value]) {
        self.name = name
        self.values = values
    }

    package init(_ name: String, numbers: some Sequence<Double>) {
        self.init(name, numbers.map { .number($0) })
    }

    package init(_ name: String, texts: some Sequence<String>) {
        self.init(name, texts.map { .text($0) })
    }

    /// The kind that all present values share; `mixed` where they differ, `none` where all are missing.
    package var kind: ValueKind {
        var kind = ValueKind.none
        for value in values where !value.isNone {
            if kind == .none { kind = value.kind } else if kind != value.kind { return .mixed }
        }
        return kind
    }
}
