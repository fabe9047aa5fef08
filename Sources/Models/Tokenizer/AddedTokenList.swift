import Files
import Tensors

/// Which tokens a folder's files add to the vocabulary, in the order in which `transformers` 5 adds them, on
/// which their ids depend:
/// - `added_tokens_decoder` of tokenizer_config.json by its keys; where it stands, no other file is asked;
/// - else added_tokens.json and, over it, `added_tokens` of tokenizer.json, by their ids;
///   special_tokens_map.json then overrules the configuration;
/// - then the tokens with a name (`bos_token`, `pad_token`, `image_token`) and the extra special ones, where
///   they are not there yet.
struct AddedTokenList {
    /// A folder's files, each nil where it is not there; `whole` is the member `added_tokens` of
    /// tokenizer.json.
    struct Files {
        var configuration: [UInt8]?
        var map: [UInt8]?
        var added: [UInt8]?
        var whole: JSON?
    }

    private(set) var tokens: [AddedToken] = []
    /// The ids that the files give, in the order of `tokens`, of which they are the first.
    private(set) var declaredIDs: [Int] = []
    /// Texts of the tokens by their names: start, end, unknown and padding are always there.
    private(set) var names: [String: String] = [:]

    static let standardStart = "<|startoftext|>"
    static let standardEnd = "<|endoftext|>"

    private static let standardNames = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// A token that has a name: as a text it is special and sought as it is written.
    private enum Mention: Hashable {
        case text([UInt8])
        case token(AddedToken)

        init?(_ json: JSON?) {
            if let text = json?.string {
                self = .text(Array(text.utf8))
            } else if let json, let token = AddedToken(json) {
                self = .token(token)
            } else {
                return nil
            }
        }

        var bytes: [UInt8] {
            switch self {
            case .text(let bytes): bytes
            case .token(let token): token.bytes
            }
        }
    }

    /// Named values in the order in which they came; one that is given again keeps its place.
    private struct Ordered<Value> {
        /// Nil where one was taken out.
        private var order: [String?] = []
        private var values: [String: (place: Int, value: Value)] = [:]

        var names: [String] { order.compactMap { $0 } }

        subscript(name: String) -> Value? { values[name]?.value }

        mutating func set(_ name: String, _ value: Value) {
            let place = values[name]?.place ?? order.count
            values[name] = (place, value)
            if place == order.count { order.append(name) }
        }

        mutating func remove(_ name: String) -> Value? {
            guard let found = values.removeValue(forKey: name) else { return nil }
            order[found.place] = nil
            return found.value
        }
    }

    init(_ files: Files, folder: String) throws {
        func path(_ name: String) -> String { FileSystem.join(folder, name) }
        func members(_ bytes: [UInt8]?, _ name: String) throws -> [(name: String, value: JSON)] {
            guard let bytes else { return [] }
            return try JSONMembers.read(bytes, path: path(name)).map {
                ($0.name, try JSON.parse(Array(bytes[$0.place]), place: path(name)))
            }
        }
        var settings = Ordered<JSON>()
        for (name, value) in try members(files.configuration, "tokenizer_config.json") {
            settings.set(name, value)
        }
        /// Names that only this model knows, given as texts, and the members of `extra_special_tokens` where
        /// that is an object.
        var own = Ordered<Mention>()
        func takeExtra(_ bytes: [UInt8]?, _ file: String) throws {
            guard let bytes, case .object? = settings["extra_special_tokens"] else { return }
            guard
                let extra = try JSONMembers.read(bytes, path: path(file)).last(where: {
                    $0.name == "extra_special_tokens"
                })
            else { return }
            for member in try JSONMembers.read(bytes, at: extra.place, path: path(file)) {
                if let mention = Mention(try JSON.parse(Array(bytes[member.place]), place: path(file))) {
                    own.set(member.name, mention)
                }
            }
            _ = settings.remove("extra_special_tokens")
        }
        if settings["extra_special_tokens"].map(Self.isEmpty) ?? true,
            let extra = settings.remove("additional_special_tokens")
        {
            settings.set("extra_special_tokens", extra)
        }
        for name in settings.names where Self.isOwn(name) {
            if let text = settings[name]?.string {
                own.set(name, .text(Array(text.utf8)))
                _ = settings.remove(name)
            }
        }
        try takeExtra(files.configuration, "tokenizer_config.json")

        var declared: [Int: AddedToken] = [:]
        /// Named tokens that special_tokens_map.json tells more of.
        var mapped: [String: AddedToken] = [:]
        if let decoder = settings["added_tokens_decoder"] {
            for key in decoder.keys {
                guard let id = Int(key), let token = decoder[key].flatMap({ AddedToken($0) }) else {
                    throw EngineError(
                        .format,
                        """
                        added_tokens_decoder: expected a token with its id as the key and its content, \
                        found the key \(key)
                        """,
                        place: path("tokenizer_config.json"))
                }
                declared[id] = token
            }
        } else {
            for (name, value) in try members(files.map, "special_tokens_map.json") {
                if name != "extra_special_tokens", let token = AddedToken(value, isSpecial: true) {
                    mapped[name] = token
                } else {
                    mapped[name] = nil
                    if name == "extra_special_tokens", let more = value.array {
                        let known = settings[name]?.array ?? [], isKnown = Set(known)
                        settings.set(name, .array(known + more.filter { !isKnown.contains($0) }))
                        continue
                    }
                }
                settings.set(name, value)
            }
            try takeExtra(files.map, "special_tokens_map.json")
            // The reference compares with what stands in the files: an object in the configuration is no
            // text, so it names none.
            var special = Set(
                Self.standardNames.compactMap { name in
                    mapped[name]?.bytes ?? settings[name]?.string.map { Array($0.utf8) }
                })
            for extra in settings["extra_special_tokens"]?.array ?? [] {
                if let text = extra.string { special.insert(Array(text.utf8)) }
            }
            for (text, value) in try members(files.added, "added_tokens.json") {
                guard let id = value.int else {
                    throw EngineError(
                        .format, "expected a whole number as the id of \(text), found \(value.kind)",
                        place: path("added_tokens.json"))
                }
                declared[id] = AddedToken(text, isSpecial: special.contains(Array(text.utf8)))
            }
            for (number, value) in (files.whole?.array ?? []).enumerated() {
                guard let id = value["id"]?.int, let token = AddedToken(value) else {
                    throw EngineError(
                        .format, "added_tokens: expected an id and a content in entry \(number)",
                        place: path("tokenizer.json"))
                }
                declared[id] = token
            }
        }
        for (id, token) in declared.sorted(by: { $0.key < $1.key }) {
            declaredIDs.append(id)
            tokens.append(token)
        }
        addMentions(settings, own, mapped)
    }

    /// Adds the tokens that have names, and the extra special ones, behind the declared ones.
    private mutating func addMentions(
        _ settings: Ordered<JSON>, _ own: Ordered<Mention>, _ mapped: [String: AddedToken]
    ) {
        func mention(_ name: String) -> Mention? {
            mapped[name].map { .token($0) } ?? Mention(settings[name])
        }
        var named = Ordered<Mention>()
        for name in Self.standardNames {
            let standard: String? =
                switch name {
                case "bos_token": Self.standardStart
                case "eos_token", "unk_token", "pad_token": Self.standardEnd
                default: nil
                }
            if let mention = mention(name) ?? standard.map({ .text(Array($0.utf8)) }) {
                named.set(name, mention)
            }
        }
        for name in settings.names where Self.isOwn(name) {
            if let mention = mention(name) { named.set(name, mention) }
        }
        for name in own.names {
            if let mention = own[name] { named.set(name, mention) }
        }
        let declared = Set(tokens.map(\.bytes))
        var mentions: [Mention] = []
        var isMentioned: Set<Mention> = []
        func add(_ mention: Mention) {
            if !declared.contains(mention.bytes), isMentioned.insert(mention).inserted {
                mentions.append(mention)
            }
        }
        var texts: Set<[UInt8]> = []
        for name in named.names {
            guard let mention = named[name] else { continue }
            texts.insert(mention.bytes)
            names[name] = String(decoding: mention.bytes, as: UTF8.self)
            add(mention)
        }
        let extra = settings["extra_special_tokens"] ?? settings["additional_special_tokens"]
        for mention in (extra?.array ?? []).compactMap({ Mention($0) }) { add(mention) }
        for index in tokens.indices where texts.contains(tokens[index].bytes) {
            tokens[index].isSpecial = true
        }
        for mention in mentions {
            switch mention {
            case .text(let bytes):
                tokens.append(AddedToken(String(decoding: bytes, as: UTF8.self), isSpecial: true))
            case .token(var token):
                token.isSpecial = token.isSpecial || texts.contains(token.bytes)
                tokens.append(token)
            }
        }
    }

    private static func isOwn(_ name: String) -> Bool {
        name.hasSuffix("_token") && !standardNames.contains(name)
    }

    /// What Python takes for false.
    private static func isEmpty(_ json: JSON) -> Bool {
        switch json {
        case .object(let members): members.isEmpty
        case .array(let elements): elements.isEmpty
        case .string(let text): text.isEmpty
        case .number(let number): number == 0
        case .bool(let flag): !flag
        case .null: true
        }
    }
}
