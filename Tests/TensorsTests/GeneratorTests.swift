import Tensors
import Testing

@Suite("Generator")
struct GeneratorTests {
    @Test("the words are those of mt19937: the 10,000th of seed 5489 is the one the C++ standard names")
    func standardWord() {
        var generator = Generator(seed: 5489)
        var last: UInt32 = 0
        for _ in 0..<10_000 { last = generator.nextWord() }
        #expect(last == 4_123_659_995)
    }

    @Test("only the low 32 bits of a seed count")
    func lowBits() {
        var small = Generator(seed: 7)
        var large = Generator(seed: 7 + 1 << 32)
        #expect(small.normal(shape: [40]).values == large.normal(shape: [40]).values)
    }

    @Test(
        "a copy draws what the original draws, and neither disturbs the other", arguments: [3, 16, 37, 700])
    func copies(count: Int) {
        var original = Generator(seed: 1)
        _ = original.normal(shape: [5])
        var copy = original
        let first = original.normal(shape: [count]).values
        _ = original.uniform(shape: [1000])
        #expect(copy.normal(shape: [count]).values == first)
    }

    @Test("a generator goes on from its stored state, the waiting normal included")
    func storedState() throws {
        var original = Generator(seed: 9)
        _ = original.normal(shape: [3])
        #expect(original.state.cachedNormal != nil)
        var restored = try Generator(state: original.state)
        #expect(restored.normal(shape: [4]).values == original.normal(shape: [4]).values)
        #expect(restored == original)
    }

    @Test("a state of another length is refused")
    func badState() {
        #expect(throws: EngineError.self) {
            try Generator(state: .init(words: [1, 2, 3], used: 0, cachedNormal: nil))
        }
        #expect(throws: EngineError.self) {
            try Generator(state: .init(words: Array(repeating: 1, count: 624), used: 625, cachedNormal: nil))
        }
    }

    @Test("nothing is drawn for no elements")
    func empty() {
        var generator = Generator(seed: 0)
        let before = generator
        #expect(generator.normal(shape: [0, 4]).count == 0)
        #expect(generator.permutation(0).isEmpty)
        #expect(generator.permutation(1) == [0])
        #expect(generator == before)
    }

    @Test("the number of elements decides what is drawn, the shape does not")
    func shapes() {
        var flat = Generator(seed: 3)
        var deep = Generator(seed: 3)
        #expect(flat.normal(shape: [64]).values == deep.normal(shape: [1, 4, 4, 4]).values)
    }

    @Test("integers reach both ends of the widest range without overflow")
    func wideIntegers() {
        var generator = Generator(seed: 4)
        let drawn = generator.integers(in: Int.min..<Int.max, count: 100)
        #expect(drawn.contains { $0 < 0 } && drawn.contains { $0 > 0 })
    }
}
