import Files
import Tensors

/// Reads a `config.json` with errors that name the file, the key, what was expected and what was found.
struct ConfigurationReader {
    let json: JSON
    let place: String

    init(path: String) throws {
        try self.init(JSON.read(path: path), place: path)
    }

    init(_ json: JSON, place: String) throws {
        guard json.object != nil else { throw EngineError(.configuration, "expected a JSON object, found \(json.kind)", place: place) }
        (self.json, self.place) = (json, place)
    }

    /// The value under a key; null counts as absent.
    func value(_ key: String) -> JSON? {
        guard let value = json[key], !value.isNull else { return nil }
        return value
    }

    func int(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int> = 1...1_000_000) throws -> Int {
        guard let value = value(key) else { return try fallback ?? missing(key) }
        guard let number = value.int, range.contains(number) else {
            throw bad(key, "a whole number in \(range.lowerBound)...\(range.upperBound)", value)
        }
        return number
    }

    func double(_ key: String, default fallback: Double? = nil) throws -> Double {
        guard let value = value(key) else { return try fallback ?? missing(key) }
        guard let number = value.double, number.isFinite else { throw bad(key, "a number", value) }
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

    func ints(_ key: String) throws -> [Int] {
        guard let value = value(key) else { return try missing(key) }
        guard let list = value.ints, !list.isEmpty, list.allSatisfy({ (1...1_000_000).contains($0) }) else {
            throw bad(key, "a list of positive whole numbers", value)
        }
        return list
    }

    /// A number for all of `count` levels, or a list of one for each.
    func intPerLevel(_ key: String, count: Int, default fallback: Int? = nil) throws -> [Int] {
        if let value = value(key), value.array != nil {
            let list = try ints(key)
            guard list.count == count else { throw bad(key, "a number or a list of \(count)", value) }
            return list
        }
        return Array(repeating: try int(key, default: fallback), count: count)
    }

    /// Throws unless the key is absent or holds one of the given values: what the reference knows and this engine does not.
    func require(_ key: String, oneOf supported: [JSON], saying what: String) throws {
        guard let value = value(key), !supported.contains(value) else { return }
        throw EngineError(.unsupported, "\(key) = \(value.text) is not supported: \(what)", place: place)
    }

    /// A choice among the names of an enumeration.
    func choice<Choice: CaseIterable & RawRepresentable>(_ key: String, default fallback: String? = nil) throws -> Choice where Choice.RawValue == String {
        let name = try string(key, default: fallback)
        if let choice = Choice(rawValue: name) { return choice }
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw EngineError(.unsupported, "\(key) \"\(name)\" is not supported; supported are \(known)", place: place)
    }

    private func missing<T>(_ key: String) throws -> T {
        throw EngineError(.configuration, "the key \"\(key)\" is missing", place: place)
    }

    private func bad(_ key: String, _ expected: String, _ found: JSON) -> EngineError {
        EngineError(.configuration, "\(key): expected \(expected), found \(found.text)", place: place)
    }
}
