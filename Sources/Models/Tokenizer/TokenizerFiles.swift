import Files
import Tensors

/// What the files of a tokenizer folder say. The vocabulary is scanned here rather than decoded as general
/// JSON: 49,408 entries are read each time a model opens.
struct TokenizerFiles {
    let tokens: TokenTable
    let merges: Merges
    let mergesPath: String
    let added: AddedVocabulary
    let start: Int
    let end: Int
    let unknown: Int
    let padding: Int
    let maximumLength: Int
    let sides: Sides

    /// CLIP's context length, where tokenizer_config.json gives none.
    static let standardLength = 77

    /// Pairs of tokens in order of rank: places in one text.
    struct Merges {
        var bytes: [UInt8] = []
        var pairs: [(left: Range<Int>, right: Range<Int>)] = []
    }

    /// Where short texts are filled up and long ones are cut.
    struct Sides {
        let padsLeft: Bool
        let cutsLeft: Bool
    }

    init(folder: String) throws {
        func path(_ name: String) -> String { FileSystem.join(folder, name) }
        func optional(_ name: String) throws -> [UInt8]? {
            FileSystem.exists(path(name))
                ? try FileSystem.readBytes(path(name), limit: TokenTable.mostBytes) : nil
        }
        var files = AddedTokenList.Files(
            configuration: try optional("tokenizer_config.json"),
            map: try optional("special_tokens_map.json"), added: try optional("added_tokens.json"))
        let vocabulary = path("vocab.json"), whole = path("tokenizer.json")
        var tokens: TokenTable
        // Where both are there the reference takes this one.
        if let bytes = try optional("tokenizer.json") {
            mergesPath = whole
            let members = try JSONMembers.read(bytes, path: whole)
            files.whole = try members.last { $0.name == "added_tokens" }.map {
                try JSON.parse(Array(bytes[$0.place]), place: whole)
            }
            let model =
                try members.last { $0.name == "model" }.map {
                    try JSONMembers.read(bytes, at: $0.place, path: whole)
                } ?? []
            guard let vocab = model.last(where: { $0.name == "vocab" }),
                let pairs = model.last(where: { $0.name == "merges" })
            else {
                throw EngineError(
                    .format,
                    "expected a vocabulary and its merges in `model`, as a byte-pair tokenizer has them",
                    place: whole)
            }
            tokens = try VocabularyScanner.table(in: bytes, at: vocab.place, path: whole)
            merges = try VocabularyScanner.merges(in: bytes, at: pairs.place, path: whole)
        } else {
            mergesPath = path("merges.txt")
            tokens = try VocabularyScanner.read(path: vocabulary)
            merges = try Self.readMerges(mergesPath)
        }
        guard tokens.idCount > 0 else {
            throw EngineError(
                .format, "the vocabulary is empty", place: FileSystem.exists(whole) ? whole : vocabulary)
        }
        let place = path("tokenizer_config.json")
        let settings = try ConfigurationReader(
            try files.configuration.map { try JSON.parse($0, place: place) } ?? [:], place: place)
        if let map = files.map { _ = try JSON.parse(map, place: path("special_tokens_map.json")) }
        let list = try AddedTokenList(files, folder: folder)
        added = try AddedVocabulary(
            list, into: &tokens, skipsSpecial: settings.bool("split_special_tokens", default: false))
        func id(_ name: String) throws -> Int {
            guard let text = list.names[name], let id = tokens.id(of: text) else {
                throw EngineError(.configuration, "\(name) is empty; expected a token", place: place)
            }
            return id
        }
        (start, end, unknown, padding) = (
            try id("bos_token"), try id("eos_token"), try id("unk_token"), try id("pad_token")
        )
        self.tokens = tokens
        func isLeft(_ name: String) throws -> Bool {
            switch settings.value(name) {
            case nil, "right": return false
            case "left": return true
            case let other?:
                throw EngineError(
                    .configuration, "\(name): expected \"right\" or \"left\", found \(other.shortText)",
                    place: place)
            }
        }
        sides = Sides(padsLeft: try isLeft("padding_side"), cutsLeft: try isLeft("truncation_side"))
        // The reference writes 1e30 for "no limit".
        let declared = try settings.double(
            "model_max_length", default: Double(Self.standardLength), in: 2...Double.greatestFiniteMagnitude)
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
                    throw EngineError(
                        .format, "line \(number): expected two tokens separated by one space", place: path)
                }
                merges.pairs.append((start..<space, space + 1..<end))
            }
            start = next
        }
        return merges
    }
}
