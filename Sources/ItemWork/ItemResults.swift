/// What came of each item. One that lacks a value was left when the user stopped.
package struct ItemResults<Value> {
    package let values: [Value?]
    package let isStopped: Bool
    /// Where it was stopped, if the work itself said so.
    package let place: String?
    /// How many were computed, of those that had to be.
    package let done: Int
    package let asked: Int

    /// The items that have values.
    package var finished: [Int] { values.indices.filter { values[$0] != nil } }

    /// For a result that a part would falsify.
    /// - Throws: that the user stopped it: "stopped at picture 3 of 10".
    package func whole(_ noun: String) throws -> [Value] {
        try values.map { value in
            guard let value else { throw Stop.error(at: place ?? "\(noun) \(done) of \(asked)") }
            return value
        }
    }
}
