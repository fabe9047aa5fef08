internal import Files
internal import Tensors
package import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One input of a reader, changed in thousands of ways with a fixed seed: bytes flipped, cut, inserted,
/// doubled, numbers and keys replaced. Each is read or refused with an error; what traps ends the test's
/// process, and what takes long or much memory is found too.
///
/// `NOISEBOOK_MUTATIONS` says how many inputs each reader gets; `NOISEBOOK_RELIABILITY` names a folder that
/// gets a line per reader.
package enum MutatedInputs {
    package static let count = getenv("NOISEBOOK_MUTATIONS").flatMap { Int(String(cString: $0)) } ?? 100

    /// What one input may cost.
    private static let mostSeconds = 5.0
    private static let mostBytes = 2 << 30

    /// - Parameter read: throws an `EngineError`, or gives whether the input was accepted; any other error is
    ///   a fault.
    package static func check(
        _ name: String, _ original: [UInt8], sourceLocation: SourceLocation = #_sourceLocation,
        read: ([UInt8]) throws -> Bool
    ) throws {
        #expect(
            try read(original), "\(name): the input is refused as it stands", sourceLocation: sourceLocation)
        var opened = 0
        for number in 0..<count {
            var mutation = Mutation(original, seed: UInt64(number))
            let input = mutation.input()
            let began = seconds
            do {
                if try MemoryBudget.$left.withValue(mostBytes, operation: { try read(input) }) { opened += 1 }
            } catch is EngineError {
            } catch {
                Issue.record("\(name), input \(number): \(error)", sourceLocation: sourceLocation)
            }
            let took = seconds - began
            #expect(
                took < mostSeconds, "\(name), input \(number) took \(took) s", sourceLocation: sourceLocation)
        }
        var record = ReliabilityRecord(.inputs, "changed at random and read: \(name)")
        record.note("read", times: opened)
        record.note("refused", times: count - opened)
        try record.write()
    }

    /// Of this thread's own work: other tests run beside it.
    private static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// One to four changes of an input.
private struct Mutation {
    private let original: [UInt8]
    private var random: SmallGenerator
    private let seed: UInt64

    init(_ original: [UInt8], seed: UInt64) {
        self.original = original
        self.seed = seed
        random = SmallGenerator(seed: seed &* 0x9e37_79b9 &+ 17)
    }

    mutating func input() -> [UInt8] {
        var bytes = original
        for _ in 0..<(1 + random.next(below: 4)) { change(&bytes) }
        return bytes
    }

    private mutating func place(_ bytes: [UInt8]) -> Int { random.next(below: max(1, bytes.count)) }

    private mutating func piece(_ bytes: [UInt8]) -> Range<Int> {
        let start = place(bytes)
        return start..<min(bytes.count, start + 1 + random.next(below: 64))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = [UInt8(random.next(below: 256))] }
        switch random.next(below: 10) {
        case 0: bytes[place(bytes)] ^= 1 << UInt8(random.next(below: 8))
        case 1: bytes[place(bytes)] = UInt8(random.next(below: 256))
        case 2: bytes.removeLast(random.next(below: bytes.count + 1))
        case 3: bytes.removeSubrange(piece(bytes))
        case 4:
            bytes.insert(
                contentsOf: (0..<random.next(below: 9)).map { _ in UInt8(random.next(below: 256)) },
                at: place(bytes))
        case 5:
            let copy = bytes[piece(bytes)]
            bytes.insert(contentsOf: copy, at: place(bytes))
        case 6: replaceNumber(&bytes)
        case 7: swapTexts(&bytes)
        case 8:
            // As it may stand in a header of sizes.
            let start = place(bytes), word = [0, 0xFF, 0x7F, 0x80][random.next(below: 4)]
            for index in start..<min(bytes.count, start + [1, 2, 4, 8][random.next(below: 4)]) {
                bytes[index] = UInt8(word)
            }
        default:
            let marks = [
                "{", "}", "[", "]", "\"", ",", ":", "|", "\n", "\r\n", "\\", "(", ")", "```", "> ", "- ",
                "null", "true", "\u{0}", "\u{202E}", "é",
            ]
            let mark = Array(marks[random.next(below: marks.count)].utf8)
            let times = [1, 1, 1, 2, 40, 3_000][random.next(below: 6)]
            bytes.insert(contentsOf: (0..<times).flatMap { _ in mark }, at: place(bytes))
        }
    }

    private static let numbers = [
        "-1", "0", "1", "2", "65536", "2147483648", "4294967296", "9007199254740992", "9223372036854775807",
        "-9223372036854775808", "18446744073709551615",
        "1e308", "-1e308", "1e999", "1e-320", "NaN", "-Infinity", "0.5", "[]", "[-1, 1]", "{}", "null",
        "true", "\"1\"",
    ]

    /// The number behind a random place.
    private mutating func replaceNumber(_ bytes: inout [UInt8]) {
        let isPart = { (byte: UInt8) in
            (0x30...0x39).contains(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
        guard let start = bytes[place(bytes)...].firstIndex(where: isPart) else { return }
        let end = bytes[start...].firstIndex { !isPart($0) } ?? bytes.count
        bytes.replaceSubrange(
            start..<end, with: Array(Self.numbers[random.next(below: Self.numbers.count)].utf8))
    }

    /// Two texts in quotation marks change places: keys, or names.
    private mutating func swapTexts(_ bytes: inout [UInt8]) {
        func text(from place: Int) -> Range<Int>? {
            guard let start = bytes[place...].firstIndex(of: UInt8(ascii: "\"")),
                let end = bytes[(start + 1)...].firstIndex(of: UInt8(ascii: "\""))
            else {
                return nil
            }
            return start..<end + 1
        }
        guard let first = text(from: place(bytes)), let second = text(from: place(bytes)),
            first.upperBound <= second.lowerBound
        else { return }
        let (a, b) = (Array(bytes[first]), Array(bytes[second]))
        bytes.replaceSubrange(second, with: a)
        bytes.replaceSubrange(first, with: b)
    }
}
