import Results

/// An expression that sees the columns of a row before the variables.
package struct RowExpression {
    /// As written, for recipes and headings.
    package let source: String
    private let body: (Table, Int) throws -> Value

    package init(source: String, body: @escaping (Table, Int) throws -> Value) {
        self.source = source
        self.body = body
    }

    package func callAsFunction(_ table: Table, row: Int) throws -> Value { try body(table, row) }
}
