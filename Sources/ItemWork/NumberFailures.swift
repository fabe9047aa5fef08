package import Interpreting
package import Tensors

/// Items of which nothing can be made, most often because their numbers are none (NaN or infinity): each is
/// left where it was found out, the others are finished and kept, and then the first one is the command's
/// error. What came of it would look like a result: a black picture, a similarity of nothing.
package struct NumberFailures {
    private var first: NotedError?
    private var count = 0

    package init() {}

    package mutating func add(_ failure: NotedError) {
        if first == nil { first = failure }
        if Self.isOfNumbers(failure) { count += 1 }
    }

    package func throwIfAny() throws {
        guard let first else { return }
        guard count > 1, Self.isOfNumbers(first) else { throw first }
        throw NotedError(
            first, note: count == 2 ? "so it is with one more item" : "so it is with \(count - 1) more items")
    }

    private static func isOfNumbers(_ failure: NotedError) -> Bool {
        (failure.underlying as? EngineError)?.kind == .numbers
    }

    /// - Parameter what: "the UNet's prediction".
    package static func error(_ what: String, cure: String? = nil) -> EngineError {
        EngineError(.numbers, "\(what) holds NaN or infinity", cure: cure)
    }

    /// - Parameter place: "item 17 \"a small golem...\", step 23 of 40".
    package static func failure(_ what: String, at place: String, cure: String? = nil) -> NotedError {
        NotedError(error(what, cure: cure), note: place)
    }
}
