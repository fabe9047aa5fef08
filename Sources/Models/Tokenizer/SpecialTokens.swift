import Files

/// The tokens that stand for themselves in a text and are never split: start, end, unknown and padding. Which of them are looked for
/// before the text is normalised and which after follows the reference's configuration files (`transformers` 5).
struct SpecialTokens: Sendable {
    enum Part {
        case token(Int)
        case text(ArraySlice<UInt8>)
    }

    private struct Entry {
        let bytes: [UInt8]
        let id: Int
        /// Looked for in the normalised text, so in any case; else as written in the text as it came.
        let isNormalised: Bool
    }

    private(set) var start = 0
    private(set) var end = 0
    private(set) var unknown = 0
    private(set) var padding = 0
    private(set) var ids: Set<Int> = []
    private var entries: [Entry] = []

    static let standardStart = "<|startoftext|>"
    static let standardEnd = "<|endoftext|>"

    /// `configuration` is tokenizer_config.json, `map` special_tokens_map.json, which wins where both name a token. `id` gives the id of a
    /// token and makes a new one where the vocabulary lacks it.
    init(configuration: JSON, map: JSON, id: (String) -> Int) {
        let mentions = ["bos_token", "eos_token", "unk_token", "pad_token"].map { key -> Mention in
            Mention(map[key]) ?? Mention(configuration[key]) ?? Mention(text: key == "bos_token" ? Self.standardStart : Self.standardEnd, isNormalised: false)
        }
        let declared = (configuration["added_tokens_decoder"]?.object ?? [:]).values.compactMap(Mention.init)
        start = id(mentions[0].text)
        end = id(mentions[1].text)
        unknown = id(mentions[2].text)
        padding = id(mentions[3].text)
        // A token is sought in normalised text only if everything that names it says so; a list of added tokens has the last word.
        for text in Set(mentions.map(\.text)).sorted() {
            let verdict = declared.first { $0.text == text }?.isNormalised ?? mentions.allSatisfy { $0.text != text || $0.isNormalised }
            add(text, id: id(text), isNormalised: verdict)
        }
        for mention in declared where !entries.contains(where: { $0.bytes == Array(mention.text.utf8) }) {
            add(mention.text, id: id(mention.text), isNormalised: mention.isNormalised)
        }
    }

    private mutating func add(_ text: String, id: Int, isNormalised: Bool) {
        guard !text.isEmpty else { return }
        let bytes = Array(text.utf8)
        entries.append(Entry(bytes: isNormalised ? WordSplitter.normalised(bytes[...]) : bytes, id: id, isNormalised: isNormalised))
        ids.insert(id)
    }

    private struct Mention {
        let text: String
        let isNormalised: Bool

        init(text: String, isNormalised: Bool) {
            self.text = text
            self.isNormalised = isNormalised
        }

        init?(_ json: JSON?) {
            if let text = json?.string {
                self.init(text: text, isNormalised: false)
            } else if let json, let text = json["content"]?.string {
                self.init(text: text, isNormalised: json["normalized"]?.bool ?? true)
            } else {
                return nil
            }
        }
    }

    /// Splits at the tokens sought in this stage: the leftmost first, the longest of several.
    func split(_ bytes: [UInt8], normalised: Bool) -> [Part] {
        let sought = entries.filter { $0.isNormalised == normalised }
        guard !sought.isEmpty else { return bytes.isEmpty ? [] : [.text(bytes[...])] }
        var parts: [Part] = []
        var start = 0
        var place = 0
        while place < bytes.count {
            let hits = sought.filter { $0.bytes[0] == bytes[place] && bytes[place...].starts(with: $0.bytes) }
            guard let hit = hits.max(by: { $0.bytes.count < $1.bytes.count }) else {
                place += 1
                continue
            }
            if start < place { parts.append(.text(bytes[start..<place])) }
            parts.append(.token(hit.id))
            place += hit.bytes.count
            start = place
        }
        if start < bytes.count { parts.append(.text(bytes[start...])) }
        return parts
    }
}
