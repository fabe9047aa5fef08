/// How items are grouped for the engine. Results do not depend on it.
package enum Batches {
    /// Texts that a text encoder takes together: a usual batch reads the weights once. Whoever stops waits
    /// for one group, a second for the report's encoder on two cores.
    package static let texts = 36
    /// Pictures that a small network, a CLIP say, takes together.
    package static let smallPictures = 32
    /// Pictures that an autoencoder or Inception takes together.
    package static let pictures = 8
    /// Pixels that the autoencoder works on together at most; its inner maps take hundreds of values per
    /// pixel.
    package static let pixelLimit = 512 * 512

    package static func ranges(count: Int, size: Int) -> [Range<Int>] {
        let size = max(1, size)
        return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    /// So many items together, in order.
    package static func of(_ items: [Int], size: Int) -> [[Int]] {
        ranges(count: items.count, size: size).map { Array(items[$0]) }
    }

    /// Items of equal shapes together, in order, so many that height x width x count stays within `area`.
    package static func alike(_ items: [Int], _ area: Int, most: Int = .max, shape: (Int) -> [Int]) -> [[Int]]
    {
        var groups: [(shape: [Int], items: [Int])] = []
        /// The last group of each shape.
        var last: [[Int]: Int] = [:]
        for item in items {
            let own = shape(item)
            let limit = min(most, max(1, area / max(1, own.suffix(2).reduce(1, *))))
            if let index = last[own], groups[index].items.count < limit {
                groups[index].items.append(item)
            } else {
                last[own] = groups.count
                groups.append((own, [item]))
            }
        }
        return groups.map(\.items)
    }
}
