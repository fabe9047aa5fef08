package import Tensors

/// Reads what `ByteWriter` wrote. Nothing is trusted: what does not fit throws, as a damaged entry does.
package struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var place: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    package var isAtEnd: Bool { place == bytes.endIndex }

    private static func damaged() -> EngineError {
        EngineError(.format, "a cached value ends early or holds another kind of value")
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.endIndex - place else { throw Self.damaged() }
        defer { place += count }
        return bytes[place..<(place + count)]
    }

    private mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        let part = try take(MemoryLayout<T>.size)
        return part.reversed().reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }

    package mutating func int() throws -> Int { Int(truncatingIfNeeded: try integer(Int64.self)) }

    package mutating func double() throws -> Double { Double(bitPattern: try integer(UInt64.self)) }

    package mutating func doubles() throws -> [Double] {
        let count = try int()
        guard (0...bytes.count / 8).contains(count) else { throw Self.damaged() }
        let content = try take(count * 8)
        return content.withUnsafeBytes { source in
            (0..<count).map {
                Double(
                    bitPattern: UInt64(
                        littleEndian: source.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)))
            }
        }
    }

    /// The tensor with its shape, at most eight axes.
    package mutating func tensor() throws -> Tensor {
        let rank = try int()
        guard (0...8).contains(rank) else { throw Self.damaged() }
        var shape: [Int] = []
        var count = 1
        for _ in 0..<rank {
            let extent = try int()
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            // Beside an extent of zero others could be so large that their product with a third is no number.
            guard (0...max(1, bytes.count)).contains(extent), !overflow, product <= bytes.count else {
                throw Self.damaged()
            }
            shape.append(extent)
            count = product
        }
        let content = try take(count * MemoryLayout<Float>.stride)
        return content.withUnsafeBytes { source in
            Tensor(shape: shape) { out in
                for index in 0..<count {
                    let bits = source.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                    out[index] = Float(bitPattern: UInt32(littleEndian: bits))
                }
            }
        }
    }

    package mutating func optionalTensor() throws -> Tensor? { try flag() ? try tensor() : nil }

    /// The generator with its state, or nil where none was written.
    package mutating func generator() throws -> Generator? {
        guard try flag() else { return nil }
        let count = try int()
        guard (0...10_000).contains(count) else { throw Self.damaged() }
        let words = try (0..<count).map { _ in try integer(UInt32.self) }
        let used = try int()
        let cached = try flag() ? try double() : nil
        return try Generator(state: .init(words: words, used: used, cachedNormal: cached))
    }

    private mutating func flag() throws -> Bool {
        switch try int() {
        case 0: false
        case 1: true
        default: throw Self.damaged()
        }
    }
}
