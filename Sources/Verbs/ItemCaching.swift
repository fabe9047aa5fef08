import Caching
import Files
import Interpreting
import Results
import Tensors

/// What the verbs that compute item by item share: where their values are kept, and the part of the key that all items have in common.
struct ItemStore {
    let cache: ItemCache
    let base: ItemKeyBuilder

    /// nil where nothing is cached: the session has no cache, or the model's files were changed since it was opened.
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
            guard let digest = try digests.digest(of: part, cache.files) else { return nil }
            base.add(part.rawValue, digest)
        }
        self.cache = cache
        self.base = base
    }

    func key(_ add: (inout ItemKeyBuilder) throws -> Void) throws -> ItemKey {
        var builder = base
        try add(&builder)
        return try builder.key()
    }
}
