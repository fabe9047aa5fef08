package import Caching

/// Where the values of one kind of work are kept, and the part of the key that all items have in common.
package struct ItemStore {
    package let cache: ItemCache
    private let base: ItemKeyBuilder
    private let confirm: () throws -> Void

    /// - Parameters:
    ///   - base: the verb, its version, and the parts of the model that compute.
    ///   - confirm: throws where these parts are not any more what the key says.
    package init(_ cache: ItemCache, base: ItemKeyBuilder, confirm: @escaping () throws -> Void) {
        (self.cache, self.base, self.confirm) = (cache, base, confirm)
    }

    /// Stores what was computed, unless weights were written over meanwhile: then it is an error, and nothing
    /// is kept.
    package func keep(_ key: ItemKey, _ write: (inout ByteWriter) -> Void) throws {
        try confirm()
        cache.store(key, write)
    }

    package func key(_ add: (inout ItemKeyBuilder) throws -> Void) throws -> ItemKey {
        var builder = base
        try add(&builder)
        return try builder.key()
    }
}
