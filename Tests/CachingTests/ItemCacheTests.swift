import Caching
import Files
import Tensors
import TestSupport
import Testing

@Suite("Item cache") struct ItemCacheTests {
    private static func key(_ text: String) throws -> ItemKey {
        var builder = ItemKeyBuilder(verb: "test", version: 1)
        builder.add("text", text)
        return try builder.key()
    }

    private static func entries(_ folder: TemporaryFolder) throws -> [String] {
        let cache = folder.path("cache")
        guard FileSystem.isFolder(cache) else { return [] }
        return try FileSystem.list(cache).flatMap { inner in
            try FileSystem.list(FileSystem.join(cache, inner)).map { FileSystem.join(FileSystem.join(cache, inner), $0) }
        }
    }

    @Test("what is stored comes back to the bit, also in another process's eyes") func back() throws {
        let folder = try TemporaryFolder()
        let cache = ItemCache(folder: folder.path)
        var generator = Generator(seed: 7)
        _ = generator.normal(shape: [5])
        let tensor = Tensor(shape: [2, 2], values: [-0.0, .infinity, .leastNonzeroMagnitude, 1.1])
        let key = try ItemCacheTests.key("a")
        cache.store(key) {
            $0.write(tensor)
            $0.write(generator)
            $0.write(nil as Tensor?)
        }
        let found = try #require(ItemCache(folder: folder.path).value(key) { (try $0.tensor(), try $0.generator(), try $0.optionalTensor()) })
        #expect(found.0.shape == tensor.shape)
        #expect(found.0.values.map(\.bitPattern) == tensor.values.map(\.bitPattern))
        #expect(found.1 == generator)
        #expect(found.2 == nil)
        #expect(cache.failure == nil)
    }

    @Test("a changed byte, a cut and another kind of value are noticed, and the entry goes", arguments: 0..<40) func damaged(_ turn: Int) throws {
        let folder = try TemporaryFolder()
        let cache = ItemCache(folder: folder.path)
        let key = try ItemCacheTests.key("a")
        cache.store(key) { $0.write(Tensor(shape: [3], values: [1, 2, 3])) }
        let path = try #require(try ItemCacheTests.entries(folder).first)
        var bytes = try FileSystem.readBytes(path)
        let place = turn * (bytes.count - 1) / 39
        if turn.isMultiple(of: 2) { bytes[place] ^= 0x10 } else { bytes.removeLast(bytes.count - place) }
        try AtomicFile.write(bytes, to: path)
        #expect(cache.value(key) { try $0.tensor() } == nil)
        #expect(try ItemCacheTests.entries(folder).isEmpty)
        cache.store(key) { $0.write(Tensor(shape: [3], values: [1, 2, 3])) }
        #expect(cache.value(key) { (try $0.tensor(), try $0.tensor()) } == nil)
        cache.store(key) { $0.write(Tensor(shape: [3], values: [1, 2, 3])) }
        #expect(cache.value(key) { try $0.tensor() }?.values == [1, 2, 3])
    }

    @Test("beyond the limit, what was used longest ago goes first") func limit() throws {
        let folder = try TemporaryFolder()
        let tensor = Tensor(zeros: [1000])
        let cache = ItemCache(folder: folder.path, limit: 25_000)
        let keys = try (0..<5).map { try ItemCacheTests.key("\($0)") }
        for key in keys { cache.store(key) { $0.write(tensor) } }
        #expect(keys.allSatisfy { cache.value($0) { try $0.tensor() } != nil })
        // The first is used once more, so it is the second that goes.
        #expect(cache.value(keys[0]) { try $0.tensor() } != nil)
        for number in 5..<7 { cache.store(try ItemCacheTests.key("\(number)")) { $0.write(tensor) } }
        #expect(cache.value(keys[1]) { try $0.tensor() } == nil)
        #expect(cache.value(keys[0]) { try $0.tensor() } != nil)
        let size = try ItemCacheTests.entries(folder).reduce(0) { $0 + (FileStamp(path: $1)?.size ?? 0) }
        #expect(size <= 25_000)
    }

    @Test("a folder that cannot be made is told once and does not stop the work") func refused() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("in the way", to: folder.path("cache"))
        let cache = ItemCache(folder: folder.path)
        let key = try ItemCacheTests.key("a")
        cache.store(key) { $0.write(1) }
        #expect(cache.failure?.place?.contains(folder.path) == true)
        #expect(cache.value(key) { try $0.int() } == nil)
        cache.beginRun()
        #expect(cache.failure == nil)
    }

    @Test("two users that store, read, evict and damage at once get whole values or none") func together() async throws {
        let folder = try TemporaryFolder()
        func tensor(_ number: Int) -> Tensor { Tensor(shape: [50 + number], values: (0..<(50 + number)).map { Float($0 * number) }) }
        let keys = try (0..<40).map { try ItemCacheTests.key("\($0)") }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for user in 0..<2 {
                group.addTask {
                    // Room for half of them, so each removes what the other stored.
                    let cache = ItemCache(folder: folder.path, limit: 10_000)
                    var generator = SmallGenerator(seed: UInt64(user))
                    var found = 0
                    for _ in 0..<2_000 {
                        let number = generator.next(below: keys.count)
                        if generator.next(below: 100) == 0, let path = try? ItemCacheTests.entries(folder).first, var bytes = try? FileSystem.readBytes(path) {
                            bytes[bytes.count / 2] ^= 1
                            try? AtomicFile.write(bytes, to: path, durable: false)
                        }
                        if let value = cache.value(keys[number], { try $0.tensor() }) {
                            found += 1
                            if value.values != tensor(number).values { throw EngineError(.data, "another value under key \(number)") }
                        } else {
                            cache.store(keys[number]) { $0.write(tensor(number)) }
                            if let failure = cache.failure { throw failure }
                        }
                    }
                    return found
                }
            }
            for try await found in group { #expect(found > 0) }
        }
        #expect(try ItemCache(folder: folder.path).byteCount() <= 20_000)
    }

    @Test("keys differ where any part does, and parts do not run into one another") func keys() throws {
        func key(_ add: (inout ItemKeyBuilder) -> Void, version: Int = 1, verb: String = "v") throws -> ItemKey {
            var builder = ItemKeyBuilder(verb: verb, version: version)
            add(&builder)
            return try builder.key()
        }
        let tensor = Tensor(shape: [2], values: [1, 2])
        let keys = try [
            key { _ in }, key({ _ in }, version: 2), key({ _ in }, verb: "w"), key { $0.add("a", "bc") }, key { $0.add("ab", "c") }, key { $0.add("a", 1) },
            key { $0.add("a", 1.0) }, key { $0.add("a", tensor) }, key { $0.add("a", tensor.reshaped([1, 2])) }, key { $0.add("a", [tensor]) },
            key { $0.add("a", Generator(seed: 1)) }, key { $0.add("a", Generator(seed: 2)) }, key { $0.add("a", nil as Generator?) },
        ]
        #expect(Set(keys).count == keys.count)
        #expect(try key { $0.add("a", tensor) } == key { $0.add("a", tensor) })
        #expect(try keys[0].derived("after", 1) != keys[0].derived("after", 2))
    }

    @Test("a file's digest is asked anew when the file is another") func files() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("weights")
        try AtomicFile.write("one", to: path)
        let digests = FileDigests(path: folder.path("digests"))
        #expect(try digests.digest(of: path) == Digest.sha256("one"))
        try AtomicFile.write("two", to: path)
        #expect(try digests.digest(of: path) == Digest.sha256("two"))
        // A remembered digest counts only with the stamp of its file.
        let stamp = try #require(FileStamp(path: path))
        let made = String(repeating: "0", count: 64)
        try AtomicFile.write("\(stamp.text) \(made) \(path)\n", to: folder.path("known"))
        #expect(try FileDigests(path: folder.path("known")).digest(of: path) == made)
        try AtomicFile.write("one", to: path)
        #expect(try FileDigests(path: folder.path("known")).digest(of: path) == Digest.sha256("one"))
    }

    @Test("counts say what came from the cache, by verb where verbs differ") func counts() {
        var counts = CacheCounts()
        #expect(!counts.hasCached)
        counts.add("denoise", cached: 16, computed: 8)
        counts.add("decode", cached: 16, computed: 8)
        #expect(counts.description == "cached 16, computed 8")
        counts.add("encode", cached: 24, computed: 0)
        #expect(counts.description == "denoise: cached 16, computed 8; decode: cached 16, computed 8; encode: cached 24, computed 0")
    }
}
