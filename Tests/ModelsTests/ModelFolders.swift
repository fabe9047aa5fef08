import Files
import Models
import Tensors
import TestSupport
import Testing

/// A golden model folder with the cases that belong to it. Folders that repeat another one's weights in
/// another form (sharded, old names) name that folder in their note and have its cases.
struct GoldenModel: CustomTestStringConvertible {
    let folder: GoldenFolder
    let expected: GoldenFolder
    let kind: String

    var testDescription: String { folder.name }

    static func all(_ kinds: Set<String>) throws -> [GoldenModel] {
        let models = try Golden.topic("models")
        let found = try models.folders().filter { try $0.files(ending: "cases.json").contains("cases.json") }
            .map { folder in
                let cases = try folder.json("cases.json")
                var expected = folder
                if cases["cases"] == nil, let note = cases["note"]?.string,
                    let other = note.split(separator: "/").dropLast().last
                {
                    expected = try models.folder(String(other))
                }
                let configuration = try folder.json("config.json")
                let kind =
                    configuration["_class_name"]?.string ?? configuration["architectures"]?[0]?.string ?? ""
                return GoldenModel(folder: folder, expected: expected, kind: kind)
            }
        let chosen = found.filter { kinds.contains($0.kind) }
        try #require(!chosen.isEmpty, "no model folder of class \(kinds.sorted()) in \(models.path)")
        return chosen
    }

    /// Runs `body` for each case with its name, its description and the stored arrays.
    func forEachCase(_ body: (GoldenCase) throws -> Void) throws {
        let arrays = try expected.tensors("io.safetensors")
        // Narrow weights have their own cases, with the same arrays.
        let description = try folder.json("cases.json")["cases"] ?? expected.json("cases.json")["cases"]
        let cases = try #require(description?.object)
        #expect(!cases.isEmpty)
        for (name, json) in cases.sorted(by: { $0.key < $1.key }) {
            try body(GoldenCase(name: name, json: json, arrays: arrays, model: folder.name))
        }
    }
}

/// One case: inputs, expected outputs and how far each may be off.
struct GoldenCase {
    let name: String
    let json: JSON
    let arrays: SafetensorsFile
    let model: String

    var outputs: [String] { (json["outputs"]?.object ?? [:]).keys.sorted() }
    func has(_ key: String) -> Bool { arrays.contains("\(name).\(key)") }
    func tensor(_ key: String) throws -> Tensor { try arrays.tensor("\(name).\(key)") }
    func rows(_ key: String) throws -> [[Int]] {
        let flat = try arrays.integers("\(name).\(key)")
        let width = try #require(arrays.entry("\(name).\(key)")?.shape.last)
        return stride(from: 0, to: flat.count, by: width).map { Array(flat[$0..<($0 + width)]) }
    }

    /// Compares with the tolerance that the golden file states (20 times the reference's own rounding error).
    func check(_ key: String, _ actual: Tensor, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let tolerance = try #require(
            json["outputs"]?[key]?["tol_abs"]?.double, "\(model) \(name) states no tolerance for \(key)")
        let expected = try tensor(key)
        guard actual.count == expected.count else {
            Issue.record(
                "\(model) \(name).\(key): shape \(actual.shape), expected \(expected.shape)",
                sourceLocation: sourceLocation)
            return
        }
        expectClose(
            actual: actual.reshaped(expected.shape), expected: expected, absolute: tolerance, relative: 0,
            "\(model) \(name).\(key)",
            sourceLocation: sourceLocation)
    }
}
