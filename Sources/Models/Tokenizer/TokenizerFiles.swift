import Files
import Tensors

/// What the files of a tokenizer folder say. The vocabulary is scanned here rather than decoded as general JSON: 49,408 entries are read
/// each time a model opens.
struct TokenizerFiles {
    let tokens: TokenTable
    let merges: Merges
    let mergesPath: String
    let special: SpecialTokens
    let maximumLength: Int

    /// CLIP's context length, where tokenizer_config.json gives none.
    static let standardLength = 77

    /// Pairs of tokens in order of rank: places in one text.
    struct Merges {
        var bytes: [UInt8] = []
        var pairs: [(left: Range<Int>, right: Range<Int>)] = []
    }

    init(folder: String) throws {
        func optional(_ name: String) throws -> JSON {
            let path = FileSystem.join(folder, name)
            return FileSystem.exists(path) ? try JSON.read(path: path) : [:]
        }
        var configuration = try optional("tokenizer_config.json")
        let map = try optional("special_tokens_map.json")
        let vocabulary = FileSystem.join(folder, "vocab.json")
        let whole = FileSystem.join(folder, "tokenizer.json")
        var tokens: TokenTable
        if !FileSystem.exists(vocabulary), FileSystem.exists(whole) {
            mergesPath = whole
            let file = try JSON.decode(WholeFile.self, path: whole)
            (tokens, merges) = try Self.read(file, path: whole)
            if configuration["added_tokens_decoder"] == nil, let added = file.addedTokens, case .object(var members) = configuration {
                members["added_tokens_decoder"] = .object(Dictionary(added.enumerated().map { (String($0.offset), $0.element) }, uniquingKeysWith: { $1 }))
                configuration = .object(members)
            }
        } else {
            mergesPath = FileSystem.join(folder, "merges.txt")
            tokens = try VocabularyScanner.read(path: vocabulary)
            merges = try Self.readMerges(mergesPath)
        }
        guard tokens.idCount > 0 else { throw EngineError(.format, "the vocabulary is empty", place: vocabulary) }
        special = SpecialTokens(configuration: configuration, map: map) { text in
            if let id = tokens.id(of: text) { return id }
            tokens.insert(text.utf8, id: tokens.idCount)
            return tokens.idCount - 1
        }
        self.tokens = tokens
        // The reference writes 1e30 for "no limit".
        let declared = configuration["model_max_length"]?.double ?? Double(Self.standardLength)
        guard declared >= 2 else {
            throw EngineError(.configuration, "model_max_length is \(declared); expected at least 2", place: FileSystem.join(folder, "tokenizer_config.json"))
        }
        maximumLength = declared < 1e6 ? Int(declared) : Self.standardLength
    }

    /// One merge a line, two tokens separated by one space; the first line may name a version.
    private static func readMerges(_ path: String) throws -> Merges {
        var merges = Merges(bytes: try FileSystem.readBytes(path, limit: TokenTable.mostBytes))
        let bytes = merges.bytes
        merges.pairs.reserveCapacity(bytes.count / 10)
        var number = 0
        var start = 0
        while start < bytes.count {
            number += 1
            var end = start
            var spaces = 0
            var space = start
            while end < bytes.count, bytes[end] != 0x0A {
                if bytes[end] == 0x20 {
                    spaces += 1
                    space = end
                }
                end += 1
            }
            let next = end + 1
            if end > start, bytes[end - 1] == 0x0D { end -= 1 }
            if end > start, !bytes[start..<end].starts(with: "#version".utf8) {
                guard spaces == 1, space > start, space + 1 < end else {
                    throw EngineError(.format, "line \(number): expected two tokens separated by one space", place: path)
                }
                merges.pairs.append((start..<space, space + 1..<end))
            }
            start = next
        }
        return merges
    }

    /// What is needed of tokenizer.json: the vocabulary, and merges as pairs or, in older files, as texts with a space.
    private struct WholeFile: Decodable {
        struct Model: Decodable {
            let vocab: [String: Int]
            let merges: [Pair]
        }

        struct Pair: Decodable {
            let parts: [String]

            init(from decoder: any Decoder) throws {
                if var list = try? decoder.unkeyedContainer() {
                    parts = [try list.decode(String.self), try list.decode(String.self)]
                } else {
                    parts = try decoder.singleValueContainer().decode(String.self).split(separator: " ").map(String.init)
                }
            }
        }

        let model: Model
        let addedTokens: [JSON]?

        enum CodingKeys: String, CodingKey {
            case model
            case addedTokens = "added_tokens"
        }
    }

    private static func read(_ file: WholeFile, path: String) throws -> (TokenTable, Merges) {
        var tokens = TokenTable(capacity: file.model.vocab.count)
        for (text, id) in file.model.vocab {
            guard (0..<TokenTable.idLimit).contains(id) else {
                throw EngineError(.format, "the token \(text) has the id \(id); expected 0 to \(TokenTable.idLimit - 1)", place: path)
            }
            tokens.insert(text.utf8, id: id)
        }
        var merges = Merges()
        for (number, pair) in file.model.merges.enumerated() {
            guard pair.parts.count == 2 else { throw EngineError(.format, "merge \(number + 1): expected two tokens", place: path) }
            let start = merges.bytes.count
            merges.bytes += Array(pair.parts[0].utf8)
            let middle = merges.bytes.count
            merges.bytes += Array(pair.parts[1].utf8)
            merges.pairs.append((start..<middle, middle..<merges.bytes.count))
        }
        return (tokens, merges)
    }
}
