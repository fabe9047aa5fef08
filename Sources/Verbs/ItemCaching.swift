import Caching
import Files
import Interpreting
import Results
import Tensors

/// What the verbs that compute item by item share: where their values are kept, and the part of the key that all items have in common.
struct ItemStore {
    let cache: ItemCache
    let base: ItemKeyBuilder
    private let digests: PartDigests

    /// nil where nothing is cached.
    init?(_ invocation: Invocation, _ model: LoadedModel, _ parts: [PartDigests.Part]) throws {
        try self.init(invocation.session.cache, verb: invocation.verb.name, version: invocation.verb.version, model, parts)
    }

    init?(_ cache: ItemCache?, verb: String, version: Int = 1, _ model: LoadedModel, _ parts: [PartDigests.Part]) throws {
        try self.init(cache, verb: verb, version: version, model.digests, parts)
    }

    init?(_ cache: ItemCache?, verb: String, version: Int = 1, _ digests: PartDigests, _ parts: [PartDigests.Part]) throws {
        guard let cache else { return nil }
        var base = ItemKeyBuilder(verb: verb, version: version)
        for part in parts {
            base.add(part.rawValue, try digests.digest(of: part, cache.files))
        }
        self.cache = cache
        self.digests = digests
        self.base = base
    }

    /// Stores what was computed, unless weights were written over meanwhile: then it is an error, and nothing is kept.
    func keep(_ key: ItemKey, _ write: (inout ByteWriter) -> Void) throws {
        try digests.confirm()
        cache.store(key, write)
    }

    func key(_ add: (inout ItemKeyBuilder) throws -> Void) throws -> ItemKey {
        var builder = base
        try add(&builder)
        return try builder.key()
    }
}
