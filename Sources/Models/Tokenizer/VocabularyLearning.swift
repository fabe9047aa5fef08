import Files
import Tensors

/// A byte-pair vocabulary learnt from texts (Sennrich, Haddow and Birch 2016), in the files of CLIP's
/// tokenizer: the 256 bytes, the 256 bytes at the end of a word, a token per merge, the start and the end
/// token.
package struct LearntVocabulary: Sendable {
    /// In the order of their ids.
    package let tokens: [String]
    package let merges: [(left: String, right: String)]

    /// Bytes inside and at the end of a word, and the two special tokens.
    package static let smallest = 514

    /// - Parameter size: tokens in all, at least `smallest`; fewer come of texts that have no more pairs.
    package init(of texts: some Sequence<String>, size: Int) {
        precondition(size >= Self.smallest, "a vocabulary of \(size) tokens")
        var counts: [[UInt8]: Int] = [:]
        for text in texts {
            let normal = WordSplitter.normalised(Array(text.utf8)[...])
            WordSplitter.forEachWord(in: normal[...]) { counts[Array($0), default: 0] += 1 }
        }
        // Sorted, so that nothing depends on a dictionary's order.
        let sorted = counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        var words = sorted.map { word, _ in
            word.enumerated().map {
                String(ByteAlphabet.characters[Int($0.element)]) + ($0.offset == word.count - 1 ? "</w>" : "")
            }
        }
        let weights = sorted.map(\.value)
        // The byte characters in the order of their code points, as the reference's `bytes_to_unicode` lists
        // them: printable ones first.
        let alphabet = ByteAlphabet.characters.enumerated().sorted { Self.rank($0) < Self.rank($1) }.map {
            String($0.element)
        }
        var tokens = alphabet + alphabet.map { $0 + "</w>" }
        var merges: [(left: String, right: String)] = []
        var known = Set(tokens)
        while tokens.count + 2 < size {
            var pairs: [Pair: Int] = [:]
            for (word, weight) in zip(words, weights) where word.count > 1 {
                for i in 0..<word.count - 1 {
                    pairs[Pair(left: word[i], right: word[i + 1]), default: 0] += weight
                }
            }
            // The most frequent; of equals the first in the order of their texts.
            guard
                let best = pairs.max(by: { $0.value != $1.value ? $0.value < $1.value : $1.key < $0.key })?
                    .key
            else { break }
            merges.append((best.left, best.right))
            let merged = best.left + best.right
            if known.insert(merged).inserted { tokens.append(merged) }
            for index in words.indices where words[index].count > 1 {
                words[index] = best.applied(to: words[index])
            }
        }
        self.tokens = tokens + [AddedTokenList.standardStart, AddedTokenList.standardEnd]
        self.merges = merges
    }

    private static func rank(_ entry: (offset: Int, element: Unicode.Scalar)) -> Int {
        entry.element.value < 0x100 ? entry.offset : 0x1000 + entry.offset
    }

    private struct Pair: Hashable, Comparable {
        let left: String
        let right: String

        static func < (a: Pair, b: Pair) -> Bool { a.left != b.left ? a.left < b.left : a.right < b.right }

        func applied(to word: [String]) -> [String] {
            var result: [String] = []
            var i = 0
            while i < word.count {
                if i + 1 < word.count, word[i] == left, word[i + 1] == right {
                    result.append(left + right)
                    i += 2
                } else {
                    result.append(word[i])
                    i += 1
                }
            }
            return result
        }
    }

    /// Writes vocab.json, merges.txt and the two configuration files.
    package func write(to folder: String, maximumLength: Int) throws {
        try FileSystem.createFolder(folder)
        let vocabulary = JSON.object(
            Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($1, .number(Double($0))) }))
        try AtomicFile.write(vocabulary.text, to: FileSystem.join(folder, "vocab.json"))
        let lines = ["#version: 0.2"] + merges.map { "\($0.left) \($0.right)" }
        try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: FileSystem.join(folder, "merges.txt"))
        let special: [String: JSON] = [
            "bos_token": .string(AddedTokenList.standardStart),
            "eos_token": .string(AddedTokenList.standardEnd),
            "unk_token": .string(AddedTokenList.standardEnd),
            "pad_token": .string(AddedTokenList.standardEnd),
        ]
        try AtomicFile.write(
            JSON.object(special).prettyText, to: FileSystem.join(folder, "special_tokens_map.json"))
        let more: [String: JSON] = [
            "tokenizer_class": "CLIPTokenizer", "model_max_length": .number(Double(maximumLength)),
        ]
        try AtomicFile.write(
            JSON.object(special.merging(more) { $1 }).prettyText,
            to: FileSystem.join(folder, "tokenizer_config.json"))
    }
}
