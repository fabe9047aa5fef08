internal import Tensors

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A JSON value. Reading stands on the library's `JSONDecoder`, which bounds the nesting depth (512) and
/// rejects numbers beyond a double. Numbers are doubles: whole ones beyond 2^53 belong into strings. Objects
/// do not keep the order of their keys.
package enum JSON: Sendable, Hashable {
    case object([String: JSON])
    case array([JSON])
    case string(String)
    case number(Double)
    case bool(Bool)
    case null

    /// The value in a file. The error names the file and what is wrong in it.
    package static func read(path: String) throws -> JSON { try decode(JSON.self, path: path) }

    /// `place` is what an error names, such as a file and a line.
    package static func parse(_ bytes: [UInt8], place: String) throws -> JSON {
        try decode(JSON.self, from: bytes, place: place)
    }

    package static func parse(_ text: String, place: String) throws -> JSON {
        try parse(Array(text.utf8), place: place)
    }

    /// A file of known structure straight into a type, several times faster than by way of `JSON`: `[String:
    /// Int]` for a vocabulary.
    package static func decode<T: Decodable>(_ type: T.Type, path: String) throws -> T {
        try decode(type, from: FileSystem.readBytes(path), place: path)
    }

    package static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8], place: String) throws -> T {
        // The decoder's own copy, and what it makes of it.
        try MemoryBudget.check(
            3 * bytes.count, for: "JSON of \(MemoryBudget.text(bytes.count))", cure: "a smaller file")
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            if let value = try withInfinities(bytes) as? T { return value }
            throw EngineError(.format, explain(error), place: place)
        } catch {
            throw EngineError(.format, "not JSON", place: place)
        }
    }

    /// Python writes -Infinity, as the reference does for DPM-Solver's lambda_min_clipped, and no JSON is
    /// allowed to. nil where that is not all that was wrong. Not by the library's JSON5, which knows the
    /// word, and which damaged texts end with a trap.
    private static func withInfinities(_ bytes: [UInt8]) throws -> JSON? {
        let word = Array("-Infinity".utf8), number = Array("-1.7976931348623157e308".utf8)
        var changed: [UInt8] = [], index = 0, isText = false, isEscaped = false, isFound = false
        while index < bytes.count {
            if !isText, bytes[index...].starts(with: word) {
                changed += number
                index += word.count
                isFound = true
                continue
            }
            if bytes[index] == UInt8(ascii: "\""), !isEscaped { isText.toggle() }
            isEscaped = bytes[index] == UInt8(ascii: "\\") && !isEscaped
            changed.append(bytes[index])
            index += 1
        }
        guard isFound, let value = try? JSONDecoder().decode(JSON.self, from: Data(changed)) else {
            return nil
        }
        func back(_ value: JSON) -> JSON {
            switch value {
            case .number(-Double.greatestFiniteMagnitude): .number(-.infinity)
            case .array(let elements): .array(elements.map(back))
            case .object(let members): .object(members.mapValues(back))
            default: value
            }
        }
        return back(value)
    }

    /// A value of known structure as text, keys sorted.
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw EngineError(.format, "a value cannot be written as JSON: \(error)")
        }
    }

    /// What JSON calls a value that a type is read from.
    private static func phrase(_ type: any Any.Type) -> String {
        let name = "\(type)"
        switch type {
        case is String.Type: return "a string"
        case is Bool.Type: return "true or false"
        case is any BinaryInteger.Type: return "a whole number"
        case is any BinaryFloatingPoint.Type: return "a number"
        default:
            return name.hasPrefix("Array") || name.hasPrefix("[") && !name.contains(":")
                ? "an array" : "an object"
        }
    }

    private static func explain(_ error: DecodingError) -> String {
        func at(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.reduce("") { path, key in
                key.intValue.map { "\(path)[\($0)]" }
                    ?? (path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)")
            }
            return path.isEmpty ? "" : " at \(path)"
        }
        switch error {
        case .dataCorrupted(let context):
            let detail = (context.underlyingError as? CustomStringConvertible).map { ": \($0)" } ?? ""
            return "not valid JSON\(at(context))\(detail)"
        case .typeMismatch(let type, let context):
            return "expected \(phrase(type))\(at(context)), found something else"
        case .valueNotFound(let type, let context):
            return "expected \(phrase(type))\(at(context)), found null"
        case .keyNotFound(let key, let context): return "the key \(key.stringValue) is missing\(at(context))"
        @unknown default: return "not the JSON expected here"
        }
    }
}

// MARK: Access

extension JSON {
    /// The member of an object, nil where there is none or this is not an object.
    package subscript(key: String) -> JSON? { object?[key] }

    /// The element of an array, nil beyond its ends or where this is not an array.
    package subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    package var object: [String: JSON]? { if case .object(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var double: Double? { if case .number(let value) = self { value } else { nil } }
    package var float: Float? { double.map(Float.init) }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// A whole number that a double holds exactly; nil for 1.5 and 1e300.
    package var int: Int? {
        guard let value = double, abs(value) <= 9_007_199_254_740_992 else { return nil }
        return Int(exactly: value)
    }

    /// All elements as whole numbers, nil where one is not.
    package var ints: [Int]? { all { $0.int } }
    package var doubles: [Double]? { all { $0.double } }
    package var strings: [String]? { all { $0.string } }

    private func all<T>(_ read: (JSON) -> T?) -> [T]? {
        guard let elements = array else { return nil }
        let values = elements.compactMap(read)
        return values.count == elements.count ? values : nil
    }

    /// Keys of an object, sorted; empty for anything else.
    package var keys: [String] { (object ?? [:]).keys.sorted() }

    /// What kind of value this is, for messages: "expected a number, found a string".
    package var kind: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool: "true or false"
        case .null: "null"
        }
    }
}

// MARK: Decoding

extension JSON: Decodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Each failed try builds an error, which costs far more than the value itself: the frequent kinds come
    /// first.
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let container = try? decoder.container(keyedBy: Name.self) {
            var members: [String: JSON] = [:]
            // In any order: into a dictionary.
            for key in container.allKeys {
                members[key.stringValue] = try container.decode(JSON.self, forKey: key)
            }
            self = .object(members)
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSON] = []
            while !container.isAtEnd { elements.append(try container.decode(JSON.self)) }
            self = .array(elements)
        } else if let truth = try? value.decode(Bool.self) {
            self = .bool(truth)
        } else {
            throw DecodingError.dataCorruptedError(
                in: value, debugDescription: "a number beyond the range of a double")
        }
    }
}

// MARK: Literals

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByFloatLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    package typealias Key = String
    package typealias Value = JSON
    package typealias ArrayLiteralElement = JSON
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
}
