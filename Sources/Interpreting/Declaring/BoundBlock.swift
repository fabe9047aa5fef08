import Results
import Syntax

/// The `{ ... }` of a verb: runs with `it` and further names bound, and gives the value of its last
/// statement.
package struct BoundBlock {
    private let block: Block
    private let body: (Value?, [(name: String, value: Value)]) throws -> Value

    init(_ block: Block, body: @escaping (Value?, [(name: String, value: Value)]) throws -> Value) {
        self.block = block
        self.body = body
    }

    /// The names that it may read.
    package var names: Set<String> { Mentions(block).names }

    package func callAsFunction(it: Value?, _ bindings: [(name: String, value: Value)] = []) throws -> Value {
        try body(it, bindings)
    }
}
