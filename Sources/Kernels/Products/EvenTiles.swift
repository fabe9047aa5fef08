/// The first tiles of a product as far as their rows lie evenly apart, which the inner loops for wide vectors
/// take in one go.
struct EvenTiles {
    let count: Int
    /// Floats from row to row.
    let stride: Int

    /// - Parameter rows: those that the output has room for; copies of more may lie evenly apart.
    init(_ table: UnsafePointer<UnsafePointer<Float>>, _ tiles: RowTiles, _ blocks: InputBlocks, rows: Int) {
        let most = blocks.segments == 1 ? min(tiles.twelves, rows / 12) : 0
        stride = most > 0 ? table[1] - table[0] : 0
        var even = min(1, most)
        while even < most * 12, table[even] == table[even - 1] + stride { even += 1 }
        count = even / 12
    }
}
