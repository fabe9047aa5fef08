import Files
import Tensors

/// CLIP's byte-pair tokenizer, read from a `tokenizer/` folder: vocab.json and merges.txt (or tokenizer.json, which newer libraries write
/// instead), tokenizer_config.json and special_tokens_map.json where they exist. Token for token equal to the Rust tokenizer behind
/// `transformers.CLIPTokenizer`: NFC, white space to one space, lower case by character, CLIP's pattern, byte-level pairs with `</w>`.
package struct Tokenizer: Sendable {
    private let pairs: BytePairs
    private let special: SpecialTokens
    private let tokens: TokenTable

    package let folder: String
    /// The longest sequence the encoder takes, start and end tokens included.
    package let maximumLength: Int

    /// Number of ids, special tokens included.
    package var tokenCount: Int { tokens.idCount }
    package var startToken: Int { special.start }
    package var endToken: Int { special.end }
    package var paddingToken: Int { special.padding }

    package init(folder: String) throws {
        guard FileSystem.isFolder(folder) else { throw EngineError(.file, "the tokenizer's folder is missing", place: folder) }
        let files = try TokenizerFiles(folder: folder)
        pairs = try BytePairs(files: files, unknown: files.special.unknown)
        special = files.special
        tokens = files.tokens
        maximumLength = files.maximumLength
        self.folder = folder
    }

    /// Token ids without start and end tokens, of any length.
    package func encode(_ text: String) -> [Int] {
        var ids: [Int] = []
        for part in special.split(Array(text.utf8), normalised: false) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let bytes):
                let normal = WordSplitter.normalised(bytes)
                for part in special.split(normal, normalised: true) {
                    switch part {
                    case .token(let id): ids.append(id)
                    case .text(let bytes): WordSplitter.forEachWord(in: bytes) { pairs.encode($0, into: &ids) }
                    }
                }
            }
        }
        return ids
    }

    /// A text as the encoder takes it: start token, the text's tokens, end token, padding up to `length` (default: the encoder's longest).
    /// A longer text loses its tail before the end token; `lostText` then says what was cut off.
    package func padded(_ text: String, to length: Int? = nil) -> PaddedTokens {
        let length = length ?? maximumLength
        precondition(length >= 2, "a sequence of \(length) tokens has no room for the start and the end token")
        let content = encode(text)
        let kept = content.prefix(length - 2)
        let missing = length - 2 - kept.count
        return PaddedTokens(
            ids: [startToken] + kept + [endToken] + Array(repeating: paddingToken, count: missing),
            mask: Array(repeating: 1, count: kept.count + 2) + Array(repeating: 0, count: missing),
            lostText: kept.count < content.count ? decode(Array(content[kept.count...])) : nil)
    }

    /// The words, in lower case, that `padded` would cut off; nil where the whole text fits.
    package func truncatedTail(_ text: String, length: Int? = nil) -> String? { padded(text, to: length).lostText }

    /// Text of tokens, words and marks separated by single spaces, as the reference decodes; unknown ids are left out.
    package func decode(_ ids: [Int], keepingSpecialTokens: Bool = false) -> String {
        var bytes: [UInt8] = []
        for id in ids where keepingSpecialTokens || !special.ids.contains(id) {
            guard let text = tokens.text(of: id) else { continue }
            bytes += ByteAlphabet.bytes(of: text) ?? Array(text.utf8)
        }
        let joined = String(decoding: bytes, as: UTF8.self)
        var out = String.UnicodeScalarView()
        var rest = joined.unicodeScalars[...]
        while let scalar = rest.first {
            if scalar == "<", rest.starts(with: "</w>".unicodeScalars) {
                out.append(" ")
                rest.removeFirst(4)
            } else {
                out.append(scalar)
                rest.removeFirst()
            }
        }
        return String(out.trimmingWhiteSpace())
    }
}

/// One text's row of the encoder's input.
package struct PaddedTokens: Sendable, Equatable {
    package let ids: [Int]
    /// 1 for the text's tokens, the start and the end token; 0 for padding.
    package let mask: [Int]
    /// What did not fit, in lower case; nil if all did.
    package let lostText: String?

    package var isTruncated: Bool { lostText != nil }
}

extension String.UnicodeScalarView {
    fileprivate func trimmingWhiteSpace() -> Substring.UnicodeScalarView {
        var rest = self[...]
        while rest.first?.properties.isWhitespace == true { rest.removeFirst() }
        while rest.last?.properties.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
