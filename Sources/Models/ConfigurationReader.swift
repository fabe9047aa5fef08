import Files
import Tensors

/// How far the numbers of a configuration may go: beyond any network that exists, and short of what would
/// keep the program busy, or take all memory, before the weights have been looked at.
enum ConfigurationLimit {
    /// Channels, widths, heads, groups.
    static let widths = 1...65_536
    /// The inner widths of feed-forwards and time embeddings.
    static let innerWidths = 1...262_144
    /// Layers of a transformer, or of one level of a network.
    static let layers = 1...1_024
    /// Levels of a UNet.
    static let levels = 16
    /// Residual blocks and transformer blocks of a UNet.
    static let blocks = 4_096
    static let vocabularies = 1...10_000_000
    /// A text holds its start and its end at least.
    static let textLengths = 2...1_000_000
    /// Pixels along one side of a picture.
    static let sides = 1...16_384
    /// What is added before a root is taken, so that nothing is divided by zero.
    static let epsilons = 0.0...1.0
}

/// Reads a `config.json` with errors that name the file, the key, what was expected and what was found.
struct ConfigurationReader {
    let json: JSON
    let place: String

    init(path: String) throws {
        try self.init(JSON.read(path: path), place: path)
    }

    init(_ json: JSON, place: String) throws {
        guard json.object != nil else {
            throw EngineError(.configuration, "expected a JSON object, found \(json.kind)", place: place)
        }
        (self.json, self.place) = (json, place)
    }

    /// The value under a key; null counts as absent.
    func value(_ key: String) -> JSON? {
        guard let value = json[key], !value.isNull else { return nil }
        return value
    }

    func int(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) throws -> Int {
        guard let value = value(key) else { return try fallback ?? missing(key) }
        guard let number = value.int, range.contains(number) else {
            throw bad(key, Self.phrase(range), value)
        }
        return number
    }

    /// A side of a kernel: an even one would leave the result a pixel smaller than its input.
    func oddInt(_ key: String, default fallback: Int, in range: ClosedRange<Int>) throws -> Int {
        let number = try int(key, default: fallback, in: range)
        guard number % 2 == 1 else {
            throw bad(
                key, "an odd number in \(range.lowerBound)...\(range.upperBound)", .number(Double(number)))
        }
        return number
    }

    func double(_ key: String, default fallback: Double? = nil, in range: ClosedRange<Double>) throws
        -> Double
    {
        guard let value = value(key) else { return try fallback ?? missing(key) }
        let phrase =
            range.upperBound == .greatestFiniteMagnitude
            ? "a number of \(range.lowerBound) or more"
            : "a number in \(range.lowerBound)...\(range.upperBound)"
        guard let number = value.double, range.contains(number) else { throw bad(key, phrase, value) }
        return number
    }

    func bool(_ key: String, default fallback: Bool) throws -> Bool {
        guard let value = value(key) else { return fallback }
        guard let flag = value.bool else { throw bad(key, "true or false", value) }
        return flag
    }

    func string(_ key: String, default fallback: String? = nil) throws -> String {
        guard let value = value(key) else { return try fallback ?? missing(key) }
        guard let text = value.string else { throw bad(key, "a text", value) }
        return text
    }

    func strings(_ key: String) throws -> [String] {
        guard let value = value(key) else { return try missing(key) }
        guard let list = value.strings, !list.isEmpty else { throw bad(key, "a list of texts", value) }
        return list
    }

    /// A list of `count` at most, all of them in the range.
    func ints(_ key: String, in range: ClosedRange<Int>, atMost count: Int) throws -> [Int] {
        guard let value = value(key) else { return try missing(key) }
        if let found = value.array?.count, found > count {
            throw EngineError(
                .configuration, "\(key): at most \(count) levels are supported, found \(found)", place: place)
        }
        guard let list = value.ints, !list.isEmpty, list.allSatisfy(range.contains) else {
            throw bad(key, "a list of whole numbers in \(range.lowerBound)...\(range.upperBound)", value)
        }
        return list
    }

    /// A number for all of `count` levels, or a list of one for each.
    func intPerLevel(_ key: String, count: Int, default fallback: Int? = nil, in range: ClosedRange<Int>)
        throws -> [Int]
    {
        if let value = value(key), let found = value.array?.count {
            guard found == count else { throw bad(key, "a number or a list of \(count)", value) }
            return try ints(key, in: range, atMost: count)
        }
        return Array(repeating: try int(key, default: fallback, in: range), count: count)
    }

    /// One number for both sides, or height and width; nil where the file does not say.
    func size(_ key: String, in range: ClosedRange<Int>) throws -> (height: Int, width: Int)? {
        guard let value = value(key) else { return nil }
        guard value.array != nil else {
            let side = try int(key, in: range)
            return (side, side)
        }
        guard let pair = value.ints, pair.count == 2, pair.allSatisfy(range.contains) else {
            throw bad(key, Self.phrase(range) + ", or two of them", value)
        }
        return (pair[0], pair[1])
    }

    /// Throws unless the key is absent or holds one of the given values: what the reference knows and this
    /// engine does not.
    func require(_ key: String, oneOf supported: [JSON], saying what: String) throws {
        guard let value = value(key), !supported.contains(value) else { return }
        throw EngineError(.unsupported, "\(key) = \(value.shortText) is not supported: \(what)", place: place)
    }

    /// A choice among the names of an enumeration.
    func choice<Choice: CaseIterable & RawRepresentable>(_ key: String, default fallback: String? = nil)
        throws -> Choice where Choice.RawValue == String
    {
        let name = try string(key, default: fallback)
        if let choice = Choice(rawValue: name) { return choice }
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw EngineError(
            .unsupported, "\(key) \"\(name)\" is not supported; supported are \(known)", place: place)
    }

    private func missing<T>(_ key: String) throws -> T {
        throw EngineError(.configuration, "the key \"\(key)\" is missing", place: place)
    }

    private func bad(_ key: String, _ expected: String, _ found: JSON) -> EngineError {
        EngineError(.configuration, "\(key): expected \(expected), found \(found.shortText)", place: place)
    }

    private static func phrase(_ range: ClosedRange<Int>) -> String {
        "a whole number in \(range.lowerBound)...\(range.upperBound)"
    }
}
