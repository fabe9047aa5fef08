import Files
import Tensors

/// What the files of a tokenizer folder say. The vocabulary is scanned here rather than decoded as general JSON: 49,408 entries are read
/// each time a model opens.
struct TokenizerFiles {
    private(set) var ids: [String: Int32] = [:]
    private(set) var texts: [String?] = []
    private(set) var merges: [(left: String, right: String)] = []
    let mergesPath: String
    let special: SpecialTokens
    let maximumLength: Int

    /// CLIP's context length, where tokenizer_config.json gives none.
    static let standardLength = 77
    /// Larger ids than any vocabulary has: a damaged file must not make the table of texts huge.
    private static let idLimit = 1 << 22

    init(folder: String) throws {
        func optional(_ name: String) throws -> JSON {
            let path = FileSystem.join(folder, name)
            return FileSystem.exists(path) ? try JSON.read(path: path) : [:]
        }
        var configuration = try optional("tokenizer_config.json")
        let map = try optional("special_tokens_map.json")
        let vocabulary = FileSystem.join(folder, "vocab.json")
        let whole = FileSystem.join(folder, "tokenizer.json")
        var vocabularyIDs: [String: Int32]
        if !FileSystem.exists(vocabulary), FileSystem.exists(whole) {
            mergesPath = whole
            let json = try JSON.read(path: whole)
            (vocabularyIDs, merges) = try Self.read(whole: json, path: whole)
            if configuration["added_tokens_decoder"] == nil, let added = json["added_tokens"]?.array, case .object(var members) = configuration {
                members["added_tokens_decoder"] = .object(Dictionary(added.enumerated().map { (String($0.offset), $0.element) }, uniquingKeysWith: { $1 }))
                configuration = .object(members)
            }
        } else {
            mergesPath = FileSystem.join(folder, "merges.txt")
            vocabularyIDs = try VocabularyScanner.read(path: vocabulary)
            merges = try Self.readMerges(mergesPath)
        }
        guard let largest = vocabularyIDs.values.max() else { throw EngineError(.format, "the vocabulary is empty", place: vocabulary) }
        if let wrong = vocabularyIDs.first(where: { $0.value < 0 || $0.value >= Self.idLimit }) {
            throw EngineError(.format, "the token \(wrong.key) has the id \(wrong.value); expected 0 to \(Self.idLimit - 1)", place: vocabulary)
        }
        var texts = [String?](repeating: nil, count: Int(largest) + 1)
        for (text, id) in vocabularyIDs { texts[Int(id)] = text }
        special = SpecialTokens(configuration: configuration, map: map) { text in
            if let id = vocabularyIDs[text] { return Int(id) }
            vocabularyIDs[text] = Int32(texts.count)
            texts.append(text)
            return texts.count - 1
        }
        self.texts = texts
        ids = vocabularyIDs
        // The reference writes 1e30 for "no limit".
        let declared = configuration["model_max_length"]?.double ?? Double(Self.standardLength)
        guard declared >= 2 else {
            throw EngineError(.configuration, "model_max_length is \(declared); expected at least 2", place: FileSystem.join(folder, "tokenizer_config.json"))
        }
        maximumLength = declared < 1e6 ? Int(declared) : Self.standardLength
    }

    /// One merge a line, two tokens separated by one space; the first line may name a version.
    private static func readMerges(_ path: String) throws -> [(left: String, right: String)] {
        let bytes = try FileSystem.readBytes(path)
        var merges: [(left: String, right: String)] = []
        merges.reserveCapacity(bytes.count / 10)
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.isEmpty || line.starts(with: "#version".utf8) { continue }
            guard let space = line.firstIndex(of: 0x20), space > line.startIndex, space + 1 < line.endIndex, !line[(space + 1)...].contains(0x20),
                let left = String(validating: line[..<space], as: UTF8.self), let right = String(validating: line[(space + 1)...], as: UTF8.self)
            else { throw EngineError(.format, "line \(number + 1): expected two tokens separated by one space", place: path) }
            merges.append((left, right))
        }
        return merges
    }

    /// tokenizer.json: the vocabulary and merges under `model`; merges are pairs, in older files texts with a space.
    private static func read(whole: JSON, path: String) throws -> ([String: Int32], [(left: String, right: String)]) {
        guard let model = whole["model"], let vocabulary = model["vocab"]?.object, let list = model["merges"]?.array else {
            throw EngineError(.format, "expected model.vocab and model.merges of a byte-pair tokenizer", place: path)
        }
        var ids: [String: Int32] = [:]
        ids.reserveCapacity(vocabulary.count)
        for (text, value) in vocabulary {
            guard let id = value.int.flatMap(Int32.init(exactly:)) else { throw EngineError(.format, "the token \(text) has no whole number as its id", place: path) }
            ids[text] = id
        }
        let merges = try list.enumerated().map { number, value -> (left: String, right: String) in
            let parts = value.strings ?? value.string?.split(separator: " ").map(String.init) ?? []
            guard parts.count == 2 else { throw EngineError(.format, "merge \(number + 1): expected two tokens", place: path) }
            return (parts[0], parts[1])
        }
        return (ids, merges)
    }
}
