// The reference's CPU generator (`torch.Generator("cpu")`), number for number: mt19937 (Matsumoto and
// Nishimura 1998) and, on top of it, the way in which torch turns its words into uniforms, normals, integers
// and permutations. Uniforms, integers and permutations are bit-equal; normals agree to about 5e-7 (the
// reference's vector logarithm rounds differently).

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A random generator that is a value: a copy draws the same numbers as the original, and neither disturbs
/// the other. Copies share their 624 words of state until one of them draws past its block.
///
/// The number of elements decides what is drawn, never the shape: a batch drawn at once and the same items
/// drawn one by one differ, as they do in the reference.
package struct Generator: Sendable, Hashable {
    /// All there is to know about a generator, for storing it and going on later.
    package struct State: Sendable, Hashable {
        /// The 624 words of mt19937.
        package var words: [UInt32]
        /// How many of the words are used up, 0...624.
        package var used: Int
        /// The second half of the last pair of single normals, where it has not been handed out yet.
        package var cachedNormal: Double?

        package init(words: [UInt32], used: Int, cachedNormal: Double?) {
            self.words = words
            self.used = used
            self.cachedNormal = cachedNormal
        }
    }

    package private(set) var state: State

    private static let size = 624
    private static let middle = 397

    /// As `manual_seed`: only the low 32 bits of the seed count.
    package init(seed: UInt64) {
        var words: [UInt32] = [UInt32(truncatingIfNeeded: seed)]
        words.reserveCapacity(Self.size)
        for index in 1..<Self.size {
            let last = words[index - 1]
            words.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index))
        }
        state = State(words: words, used: Self.size, cachedNormal: nil)
    }

    /// Goes on from a stored state; throws where it is not one.
    package init(state: State) throws {
        guard state.words.count == Self.size, (0...Self.size).contains(state.used),
            state.cachedNormal?.isFinite ?? true
        else {
            throw EngineError(
                .format,
                """
                a generator's state has \(Self.size) words, of which up to \(Self.size) are used; found \
                \(state.words.count) and \(state.used)
                """)
        }
        self.state = state
    }

    // MARK: Words

    package mutating func nextWord() -> UInt32 {
        if state.used == Self.size { twist() }
        var word = state.words[state.used]
        state.used += 1
        word ^= word >> 11
        word ^= (word << 7) & 0x9D2C_5680
        word ^= (word << 15) & 0xEFC6_0000
        return word ^ (word >> 18)
    }

    /// The first of two words is the upper half.
    package mutating func nextLongWord() -> UInt64 {
        let upper = UInt64(nextWord())
        return upper << 32 | UInt64(nextWord())
    }

    private mutating func twist() {
        state.words.withUnsafeMutableBufferPointer { words in
            for index in 0..<Self.size {
                let mixed = (words[index] & 0x8000_0000) | (words[(index + 1) % Self.size] & 0x7FFF_FFFF)
                words[index] =
                    words[(index + Self.middle) % Self.size] ^ (mixed >> 1)
                    ^ (mixed & 1 == 0 ? 0 : 0x9908_B0DF)
            }
        }
        state.used = 0
    }
}

// MARK: - Uniform numbers, integers, permutations

extension Generator {
    /// Uniform in 0..<1 with 24 bits, as `torch.rand`.
    package mutating func uniform(shape: [Int]) -> Tensor {
        let count = shape.reduce(1, *)
        return Tensor(shape: shape) { out in
            for index in 0..<count { out[index] = uniformFloat() }
        }
    }

    /// Uniform in 0..<1 with 53 bits, as `torch.rand` in float64.
    package mutating func uniformDoubles(count: Int) -> [Double] {
        precondition(count >= 0, "count \(count)")
        return (0..<count).map { _ in uniformDouble() }
    }

    /// Integers of a range that is not empty, as `torch.randint`.
    package mutating func integers(in range: Range<Int>, count: Int) -> [Int] {
        precondition(!range.isEmpty && count >= 0, "range \(range), count \(count)")
        let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
        // Where torch begins to draw two words for one integer. Probed on 2.13; older versions switched at
        // 2^32.
        let wide = width >= 1 << 28
        return (0..<count).map { _ in
            let drawn = (wide ? nextLongWord() : UInt64(nextWord())) % width
            return range.lowerBound &+ Int(truncatingIfNeeded: drawn)
        }
    }

    /// 0..<count in random order, as `torch.randperm`.
    package mutating func permutation(_ count: Int) -> [Int] {
        precondition(count >= 0, "count \(count)")
        var order = Array(0..<count)
        for index in 0..<max(count - 1, 0) {
            order.swapAt(index, index + Int(UInt64(nextWord()) % UInt64(count - index)))
        }
        return order
    }

    private mutating func uniformFloat() -> Float { Float(nextWord() & 0xFF_FFFF) * 0x1p-24 }

    private mutating func uniformDouble() -> Double { Double(nextLongWord() & (1 << 53 - 1)) * 0x1p-53 }
}

// MARK: - Normal numbers

extension Generator {
    /// Normal with mean 0 and variance 1, as `torch.randn`.
    package mutating func normal(shape: [Int]) -> Tensor {
        let count = shape.reduce(1, *)
        return Tensor(shape: shape) { out in
            guard count >= Self.block else {
                for index in 0..<count { out[index] = Float(singleNormal()) }
                return
            }
            for index in 0..<count { out[index] = uniformFloat() }
            for start in stride(from: 0, through: count - Self.block, by: Self.block) {
                Self.transformBlock(out + start)
            }
            if count % Self.block != 0 {
                // The tail takes the last 16 places, drawn anew: elements that were transformed already are
                // overwritten.
                let tail = out + (count - Self.block)
                for index in 0..<Self.block { tail[index] = uniformFloat() }
                Self.transformBlock(tail)
            }
        }
    }

    /// Normal with mean 0 and variance 1, as `torch.randn` in float64.
    package mutating func normalDoubles(count: Int) -> [Double] {
        precondition(count >= 0, "count \(count)")
        guard count >= Self.block else { return (0..<count).map { _ in singleNormal() } }
        var values = uniformDoubles(count: count)
        for start in stride(from: 0, through: count - Self.block, by: Self.block) {
            Self.transformBlock(&values, at: start)
        }
        if count % Self.block != 0 {
            values.replaceSubrange((count - Self.block)..., with: uniformDoubles(count: Self.block))
            Self.transformBlock(&values, at: count - Self.block)
        }
        return values
    }

    private static let block = 16

    /// Fewer than 16 numbers are drawn one by one in double precision, in pairs; the second of a pair waits
    /// in the generator for the next such call, whatever is drawn in between.
    private mutating func singleNormal() -> Double {
        if let cached = state.cachedNormal {
            state.cachedNormal = nil
            return cached
        }
        let u1 = uniformDouble()
        let u2 = uniformDouble()
        let radius = (-2 * log1p(-u2)).squareRoot()
        let angle = 2 * Double.pi * u1
        state.cachedNormal = radius * sin(angle)
        return radius * cos(angle)
    }

    /// Box and Muller (1958) on the pairs (j, j + 8) of 16 uniforms. Angle, logarithm and products are
    /// rounded to single precision where the reference rounds them: in double throughout the error would be
    /// three times larger.
    private static func transformBlock(_ values: UnsafeMutablePointer<Float>) {
        // Not 2 * Float.pi: Swift rounds that constant towards zero, the reference to the nearest.
        let turn = Float(2 * Double.pi)
        for index in 0..<8 {
            let u1 = 1 - values[index]
            let angle = Double(turn * values[index + 8])
            let radius = (-2 * Float(log(Double(u1)))).squareRoot()
            values[index] = radius * Float(cos(angle))
            values[index + 8] = radius * Float(sin(angle))
        }
    }

    private static func transformBlock(_ values: inout [Double], at start: Int) {
        for index in start..<(start + 8) {
            let radius = (-2 * log(1 - values[index])).squareRoot()
            let angle = 2 * Double.pi * values[index + 8]
            values[index] = radius * cos(angle)
            values[index + 8] = radius * sin(angle)
        }
    }
}
