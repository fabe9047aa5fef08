/// Copies of rows, an odd number of cache lines apart.
struct CopiedRows {
    let table: UnsafeMutablePointer<UnsafePointer<Float>>
    private let values: UnsafeMutablePointer<Float>
    private let rows: Int
    private let apart: Int

    init(_ rows: Int, length: Int) {
        (self.rows, apart) = (rows, length + 16)
        table = .allocate(capacity: rows)
        values = BufferPool.take(rows * apart)
        for row in 0..<rows { (table + row).initialize(to: UnsafePointer(values + row * apart)) }
    }

    func copy(_ source: UnsafePointer<UnsafePointer<Float>>, from offset: Int, count: Int) {
        for row in 0..<rows { (values + row * apart).update(from: source[row] + offset, count: count) }
    }

    func release() {
        table.deallocate()
        BufferPool.give(values, rows * apart)
    }
}
