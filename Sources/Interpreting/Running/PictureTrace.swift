import Results

/// The pictures that a cell decodes, and from which rows: what a notebook's lock keeps, so that a few can be
/// checked alone.
package final class PictureTrace {
    package struct Entry {
        package let item: Int
        /// The row of a `denoise` that the latent comes from; nil where it comes from none.
        package let tag: RowTag?
        package let picture: Picture
    }

    package let cell: String
    package private(set) var entries: [Entry] = []
    /// What each picture of a group scored, in the order in which groups were scored; nil for pictures that
    /// were not computed.
    package private(set) var scores: [(metric: String, values: [Double?])] = []
    /// How many times the cell has come to `denoise`.
    private var turns = 0

    package init(cell: String) { self.cell = cell }

    package func decoded(_ picture: Picture, item: Int, tag: RowTag?) {
        entries.append(Entry(item: item, tag: tag, picture: picture))
    }

    package func scored(_ metric: String, _ values: [Double?]) { scores.append((metric, values)) }

    /// The tags of a `denoise` of so many rows.
    package func tags(rows: Int) -> [RowTag] {
        defer { turns += 1 }
        return (0..<rows).map { RowTag(cell: cell, turn: turns, row: $0) }
    }
}
