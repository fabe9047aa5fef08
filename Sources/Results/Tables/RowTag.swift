/// Which row of which `denoise` of a notebook a latent comes from: the same in each replay of the same text.
package struct RowTag: Sendable, Hashable, Codable {
    /// The cell's name.
    package var cell: String
    /// How many times the cell had come to `denoise` before.
    package var turn: Int
    package var row: Int

    package init(cell: String, turn: Int, row: Int) { (self.cell, self.turn, self.row) = (cell, turn, row) }
}
