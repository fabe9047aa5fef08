import Files
import Tensors

/// CLIP's byte-pair tokenizer, read from a `tokenizer/` folder: tokenizer.json, or vocab.json and merges.txt
/// where it is not there, tokenizer_config.json and what older libraries wrote beside it. Token for token
/// equal to the Rust tokenizer behind `transformers.CLIPTokenizer`: added tokens, NFC, white space to one
/// space, lower case by character, CLIP's pattern, byte-level pairs with `</w>`.
package struct Tokenizer: Sendable {
    private let pairs: BytePairs
    private let added: AddedVocabulary
    private let tokens: TokenTable
    private let sides: TokenizerFiles.Sides

    package let folder: String
    /// The longest sequence the encoder takes, start and end tokens included.
    package let maximumLength: Int

    /// Number of ids, special tokens included.
    package var tokenCount: Int { tokens.idCount }
    package let startToken: Int
    package let endToken: Int
    package let paddingToken: Int
    /// What its files say that cannot be followed, to be shown when it is opened.
    package var remarks: [String] { added.remarks }

    package init(folder: String) throws {
        guard FileSystem.isFolder(folder) else {
            throw EngineError(.file, "the tokenizer's folder is missing", place: folder)
        }
        let files = try TokenizerFiles(folder: folder)
        pairs = try BytePairs(files: files)
        added = files.added
        tokens = files.tokens
        sides = files.sides
        (startToken, endToken, paddingToken) = (files.start, files.end, files.padding)
        maximumLength = files.maximumLength
        self.folder = folder
    }

    /// Whether a folder has a vocabulary.
    package static func isThere(in folder: String) -> Bool {
        ["tokenizer.json", "vocab.json"].contains { FileSystem.exists(FileSystem.join(folder, $0)) }
    }

    /// Token ids without start and end tokens, of any length.
    package func encode(_ text: String) -> [Int] {
        var ids: [Int] = []
        for part in added.split(Array(text.utf8), normalised: false) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let bytes):
                let normal = WordSplitter.normalised(bytes)
                for part in added.split(normal, normalised: true) {
                    switch part {
                    case .token(let id): ids.append(id)
                    case .text(let bytes):
                        WordSplitter.forEachWord(in: bytes) { pairs.encode($0, into: &ids) }
                    }
                }
            }
        }
        return ids
    }

    /// A text as the encoder takes it: start token, the text's tokens, end token, padding up to `length`
    /// (default: the encoder's longest). A longer text loses its tail before the end token, or its head where
    /// the files say so; `lostText` then says what was cut off.
    package func padded(_ text: String, to length: Int? = nil) -> PaddedTokens {
        let length = length ?? maximumLength
        precondition(
            length >= 2, "a sequence of \(length) tokens has no room for the start and the end token")
        let content = encode(text)
        let lost = max(content.count - (length - 2), 0)
        let row =
            [startToken] + (sides.cutsLeft ? content.dropFirst(lost) : content.dropLast(lost)) + [endToken]
        let ones = Array(repeating: 1, count: row.count)
        let padding = Array(repeating: paddingToken, count: length - row.count)
        let zeros = Array(repeating: 0, count: padding.count)
        return PaddedTokens(
            ids: sides.padsLeft ? padding + row : row + padding,
            mask: sides.padsLeft ? zeros + ones : ones + zeros,
            lostText: lost > 0
                ? decode(
                    Array(sides.cutsLeft ? content.prefix(lost) : content.suffix(lost)),
                    keepingSpecialTokens: true) : nil)
    }

    /// A text's row of the encoder's input where the folder adds tokens or rules of its own, nil where it is
    /// CLIP's usual one: what a cached value depends on beside the files, of which an earlier version of this
    /// program read less.
    package func ownIDs(_ text: String, to length: Int) -> String? {
        guard added.isOwn || sides.padsLeft || sides.cutsLeft else { return nil }
        return padded(text, to: length).ids.map(String.init).joined(separator: " ")
    }

    /// The words, in lower case, that `padded` would cut off; nil where the whole text fits.
    package func truncatedTail(_ text: String, length: Int? = nil) -> String? {
        padded(text, to: length).lostText
    }

    /// Text of tokens, words and marks separated by single spaces, as the reference decodes; unknown ids are
    /// left out.
    package func decode(_ ids: [Int], keepingSpecialTokens: Bool = false) -> String {
        var bytes: [UInt8] = []
        for id in ids where keepingSpecialTokens || !added.specialIDs.contains(id) {
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
