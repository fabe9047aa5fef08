/// Which rows of a long table are shown: its head and its tail.
package struct RowExcerpt: Sendable, Equatable {
    package var head: Range<Int>
    package var tail: Range<Int>

    /// All rows if there are at most `limit`; else two thirds of `limit` from the top and the rest from the
    /// end.
    package init(rows: Int, limit: Int) {
        guard rows > limit else {
            head = 0..<rows
            tail = rows..<rows
            return
        }
        let first = limit - limit / 3
        head = 0..<first
        tail = (rows - limit / 3)..<rows
    }

    package var omitted: Int { tail.lowerBound - head.upperBound }
    package var indices: [Int] { Array(head) + Array(tail) }
}
