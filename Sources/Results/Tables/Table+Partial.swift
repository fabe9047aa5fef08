extension Table {
    /// How far work came that a user stopped. The table holds whole rows only, fewer than were asked for.
    package struct Partial: Sendable, Equatable {
        /// Where it stopped: "k=40, item 19 of 36".
        package var place: String
        package var kept: Int
        /// Rows that the whole table would have; nil where that is not known yet.
        package var total: Int?
        /// Where rows may be missing: at these values of columns, as they are shown; without a column,
        /// anywhere.
        package var unfinished: [[String: String]]
        /// How far the rows are that were being made, where that is known.
        package var steps: Steps?

        package struct Steps: Sendable, Equatable {
            package var done: Int
            package var total: Int
            /// Whether the next run goes on from them.
            package var areKept: Bool

            package init(done: Int, total: Int, areKept: Bool) {
                (self.done, self.total, self.areKept) = (done, total, areKept)
            }
        }

        package init(
            place: String, kept: Int, total: Int?, unfinished: [[String: String]] = [[:]], steps: Steps? = nil
        ) {
            self.place = place
            self.kept = kept
            self.total = total
            self.unfinished = unfinished
            self.steps = steps
        }

        package var message: String {
            // Before the first row is whole, the steps are all there is to tell of.
            if kept == 0, let steps {
                let outer = place.split(separator: ", ").filter { !$0.hasPrefix("item ") }.joined(
                    separator: ", ")
                return """
                    stopped\(outer.isEmpty ? "" : " at \(outer)") after \(steps.done) of \(steps.total) \
                    steps\(steps.areKept ? " (kept)" : "")
                    """
            }
            return "stopped at \(place); \(kept) \(total.map { "of \($0) " } ?? "")kept"
        }

        /// Whether all rows with these values are there, so that a fold over them is one of all.
        package func isWhole(at values: [String: String]) -> Bool {
            // All must agree, in any order.
            !unfinished.contains { place in
                place.allSatisfy { name, value in values[name].map { $0 == value } ?? true }
            }
        }

        /// The places of a table that was one point of a larger one.
        package func unfinished(within point: [String: String]) -> [[String: String]] {
            unfinished.map { $0.merging(point) { _, outer in outer } }
        }

        /// The column has other values from here on, so nothing is known by it any more.
        mutating func forget(_ column: String) {
            for index in unfinished.indices { unfinished[index][column] = nil }
        }
    }

    /// The rows that stopped work has finished, in their order; the table itself if these are all.
    /// - Parameter unit: what the rows are counted as.
    package func finished(_ rows: [Int], unit: String = "item", steps: Partial.Steps? = nil) -> Table {
        guard rows.count < rowCount else { return self }
        var result = self.rows(rows)
        let done = Set(rows)
        var open = partial?.unfinished ?? []
        for row in 0..<rowCount where !done.contains(row) {
            open.append([Table.itemName: String(items[row])])
        }
        result.partial = Partial(
            place: "\(unit) \(rows.count) of \(rowCount)", kept: rows.count, total: rowCount,
            unfinished: open, steps: steps)
        return result
    }
}
