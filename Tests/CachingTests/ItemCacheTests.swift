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
            try FileSystem.list(FileSystem.join(cache, inner)).map {
                FileSystem.join(FileSystem.join(cache, inner), $0)
            }
        }
    }

    @Test("what is stored comes back to the bit, also in another process's eyes") func back() throws {
        let folder = try TemporaryFolder()
        let cache = ItemCache(folder: folder.path, signer: Signer.test)
        var generator = Generator(seed: 7)
        _ = generator.normal(shape: [5])
        let tensor = Tensor(shape: [2, 2], values: [-0.0, .infinity, .leastNonzeroMagnitude, 1.1])
        let key = try ItemCacheTests.key("a")
        cache.store(key) {
            $0.write(tensor)
            $0.write(generator)
            $0.write(nil as Tensor?)
        }
        let later = ItemCache(folder: folder.path, signer: Signer.test)
        let found = try #require(
            later.value(key) { (try $0.tensor(), try $0.generator(), try $0.optionalTensor()) })
        #expect(found.0.shape == tensor.shape)
        #expect(found.0.values.map(\.bitPattern) == tensor.values.map(\.bitPattern))
        #expect(found.1 == generator)
        #expect(found.2 == nil)
        #expect(cache.remarks.lines == [])
    }

    @Test(
        "a changed byte, a cut and another kind of value are noticed, and the entry goes", arguments: 0..<40)
    func damaged(_ turn: Int) throws {
        let folder = try TemporaryFolder()
        let cache = ItemCache(folder: folder.path, signer: Signer.test)
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

    @Test(
        """
        what another user kept is not believed, is said once, and is taken and made this user's where others \
        are trusted
        """) func foreign() throws
    {
        let folder = try TemporaryFolder()
        func cache(_ secret: String, trustsOthers: Bool = false) -> ItemCache {
            ItemCache(folder: folder.path) {
                try Signer(secret: Array(secret.utf8), trustsOthers: trustsOthers)
            }
        }
        let keys = try ["a", "b", "c"].map(ItemCacheTests.key)
        func values(_ cache: ItemCache) -> [Float?] {
            keys.map { cache.value($0) { try $0.tensor() }?.values.first }
        }
        for key in keys {
            cache("of somebody else's").store(key) { $0.write(Tensor(shape: [1], values: [666])) }
        }
        let careful = cache("the user's own secret")
        #expect(values(careful) == [nil, nil, nil])
        #expect(careful.remarks.lines.count == 1)
        #expect(
            careful.remarks.lines[0].hasPrefix(
                "3 results in the cache are another user's and are computed anew: --trust-cache"))
        #expect(values(cache("of somebody else's")) == [666, 666, 666], "what another user kept stays")
        careful.store(keys[0]) { $0.write(Tensor(shape: [1], values: [1])) }
        #expect(values(careful) == [1, nil, nil])
        let trusting = cache("the user's own secret", trustsOthers: true)
        #expect(values(trusting) == [1, 666, 666])
        #expect(trusting.remarks.lines == [])
        #expect(values(cache("the user's own secret")) == [1, 666, 666])
    }

    @Test("a key that cannot be read for a moment costs no entry") func unreadable() throws {
        let folder = try TemporaryFolder(), key = try ItemCacheTests.key("a")
        ItemCache(folder: folder.path, signer: Signer.test).store(key) { $0.write(Tensor(zeros: [3])) }
        let without = ItemCache(folder: folder.path) { throw EngineError(.file, "too many open files") }
        #expect(without.value(key) { try $0.tensor() } == nil)
        without.store(key) { $0.write(Tensor(zeros: [3])) }
        #expect(without.remarks.unkept == 1)
        let later = ItemCache(folder: folder.path, signer: Signer.test)
        #expect(later.value(key) { try $0.tensor() } != nil)
    }

    @Test("an entry in another one's place is not that") func moved() throws {
        let folder = try TemporaryFolder()
        let cache = ItemCache(folder: folder.path, signer: Signer.test)
        let keys = try ["a", "b"].map(ItemCacheTests.key)
        for (number, key) in keys.enumerated() {
            cache.store(key) { $0.write(Tensor(shape: [1], values: [Float(number)])) }
        }
        let paths = keys.map { folder.path("cache/\($0.digest.prefix(2))/\($0.digest.dropFirst(2))") }
        try AtomicFile.write(FileSystem.readBytes(paths[0]), to: paths[1])
        #expect(cache.value(keys[1]) { try $0.tensor() } == nil)
        #expect(cache.value(keys[0]) { try $0.tensor() }?.values == [0])
    }

    @Test("beyond the limit, what was used longest ago goes first") func limit() throws {
        let folder = try TemporaryFolder()
        let tensor = Tensor(zeros: [1000])
        let cache = ItemCache(folder: folder.path, limit: 25_000, signer: Signer.test)
        let keys = try (0..<5).map { try ItemCacheTests.key("\($0)") }
        for key in keys { cache.store(key) { $0.write(tensor) } }
        #expect(keys.allSatisfy { cache.value($0) { try $0.tensor() } != nil })
        // The first is used once more, so it is the second that goes.
        cache.forgetUses()
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
        let cache = ItemCache(folder: folder.path, signer: Signer.test)
        let key = try ItemCacheTests.key("a")
        cache.store(key) { $0.write(1) }
        cache.store(try ItemCacheTests.key("b")) { $0.write(1) }
        #expect(cache.remarks.unkept == 2)
        #expect(
            cache.remarks.lines.count == 1
                && cache.remarks.lines[0].hasPrefix("2 results are not kept in the cache: ")
                && cache.remarks.lines[0].contains(folder.path))
        #expect(cache.value(key) { try $0.int() } == nil)
        // It is tried again each time.
        try FileSystem.removeFile(folder.path("cache"))
        cache.store(key) { $0.write(1) }
        #expect(cache.value(key) { try $0.int() } == 1)
        cache.beginRun()
        #expect(cache.remarks == CacheRemarks())
    }

    @Test("two users that store, read, evict and damage at once get whole values or none") func together()
        async throws
    {
        let folder = try TemporaryFolder()
        func tensor(_ number: Int) -> Tensor {
            Tensor(shape: [50 + number], values: (0..<(50 + number)).map { Float($0 * number) })
        }
        let keys = try (0..<40).map { try ItemCacheTests.key("\($0)") }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for user in 0..<2 {
                group.addTask {
                    // Room for half of them, so each removes what the other stored.
                    let cache = ItemCache(folder: folder.path, limit: 10_000, signer: Signer.test)
                    var generator = SmallGenerator(seed: UInt64(user))
                    var found = 0
                    for _ in 0..<2_000 {
                        let number = generator.next(below: keys.count)
                        cache.forgetUses()
                        // Of what the other one is just writing nothing may be there yet.
                        if generator.next(below: 100) == 0,
                            let path = try? ItemCacheTests.entries(folder).first(where: {
                                !$0.hasSuffix(".partial")
                            }),
                            var bytes = try? FileSystem.readBytes(path), !bytes.isEmpty
                        {
                            bytes[bytes.count / 2] ^= 1
                            try? AtomicFile.write(bytes, to: path, durable: false)
                        }
                        if let value = cache.value(keys[number], { try $0.tensor() }) {
                            found += 1
                            if value.values != tensor(number).values {
                                throw EngineError(.data, "another value under key \(number)")
                            }
                        } else {
                            cache.store(keys[number]) { $0.write(tensor(number)) }
                            if let line = cache.remarks.lines.first { throw EngineError(.file, line) }
                        }
                    }
                    return found
                }
            }
            for try await found in group { #expect(found > 0) }
        }
        #expect(try ItemCache(folder: folder.path, signer: Signer.test).byteCount() <= 20_000)
    }

    @Test("what another user is writing is not evicted, what a killed one left is") func underWay() throws {
        let folder = try TemporaryFolder()
        let key = try ItemCacheTests.key("a")
        ItemCache(folder: folder.path, signer: Signer.test).store(key) { $0.write(Tensor(zeros: [10])) }
        let inner = FileSystem.folder(of: try #require(try ItemCacheTests.entries(folder).first))
        let left = FileSystem.join(inner, ".noisebook-1.partial"), place = FileSystem.join(inner, "other")
        try AtomicFile.write(Array(repeating: 0, count: 5_000), to: left, durable: false)
        try AtomicFile.write(to: place, durable: false) { sink in
            try sink.write(Array(repeating: 1, count: 5_000))
            // More than there is room for, so all has to go that can.
            ItemCache(folder: folder.path, limit: 1_000, signer: Signer.test).store(key) {
                $0.write(Tensor(zeros: [200]))
            }
        }
        #expect(FileSystem.isFile(place) && !FileSystem.exists(left))
    }

    @Test("keys differ where any part does, and parts do not run into one another") func keys() throws {
        func key(_ add: (inout ItemKeyBuilder) -> Void, version: Int = 1, verb: String = "v") throws
            -> ItemKey
        {
            var builder = ItemKeyBuilder(verb: verb, version: version)
            add(&builder)
            return try builder.key()
        }
        let tensor = Tensor(shape: [2], values: [1, 2])
        let keys = try [
            key { _ in }, key({ _ in }, version: 2), key({ _ in }, verb: "w"), key { $0.add("a", "bc") },
            key { $0.add("ab", "c") }, key { $0.add("a", 1) },
            key { $0.add("a", 1.0) }, key { $0.add("a", tensor) },
            key { $0.add("a", tensor.reshaped([1, 2])) }, key { $0.add("a", [tensor]) },
            key { $0.add("a", Generator(seed: 1)) }, key { $0.add("a", Generator(seed: 2)) },
            key { $0.add("a", nil as Generator?) },
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
        let sample = try #require(try FileReading.opened(path).sample())
        try AtomicFile.write("\(stamp.text):\(sample) \(made) \(path)\n", to: folder.path("known"))
        #expect(try FileDigests(path: folder.path("known")).digest(of: path) == made)
        try AtomicFile.write("one", to: path)
        #expect(try FileDigests(path: folder.path("known")).digest(of: path) == Digest.sha256("one"))
    }

    @Test("a stamp that says nothing, and one with other contents, are not trusted") func untrusted() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("weights"), known = folder.path("known")
        try AtomicFile.write([UInt8](repeating: 1, count: 100_000), to: path)
        let stamp = try #require(FileStamp(path: path)),
            sample = try #require(try FileReading.opened(path).sample())
        let made = String(repeating: "0", count: 64), real = try Digest.sha256(path: path)
        func told(_ line: String) throws -> String {
            try AtomicFile.write("\(line) \(made) \(path)\n", to: known)
            return try FileDigests(path: known).digest(of: path)
        }
        #expect(try told("\(stamp.text):\(sample)") == (stamp.tells ? made : real))
        // As written by earlier versions, and of another content with the same stamp.
        #expect(try told(stamp.text) == real)
        #expect(try told("\(stamp.text):0123456789abcdef") == real)
        for place in [10, 50_010, 99_990] {
            var bytes = [UInt8](repeating: 1, count: 100_000)
            bytes[place] = 2
            try AtomicFile.write(bytes, to: folder.path("other"))
            #expect(try FileReading.opened(folder.path("other")).sample() != sample)
        }
    }

    @Test(
        "a large file that was damaged since it was written is made anew",
        arguments: ["flip", "cut", "gone", "seal", "none"]) func large(_ damage: String)
        throws
    {
        let folder = try TemporaryFolder()
        let key = try ItemCacheTests.key("large"), bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        var made = 0
        func path() throws -> String? {
            try ItemCache(folder: folder.path, signer: Signer.test).file(key, byteCount: bytes.count) {
                sink in
                made += 1
                try sink.write(bytes)
            }
        }
        let first = try #require(try path())
        switch damage {
        case "flip":
            var other = bytes
            other[30_000] ^= 1
            try AtomicFile.write(other, to: first)
        case "cut": try AtomicFile.write(Array(bytes.dropLast()), to: first)
        case "gone": try FileSystem.removeFile(first)
        case "seal":
            for entry in try ItemCacheTests.entries(folder) where entry != first {
                try FileSystem.removeFile(entry)
            }
        default: break
        }
        #expect(try path() == first)
        #expect(try FileSystem.readBytes(first) == bytes)
        #expect(made == (damage == "none" ? 1 : 2))
    }

    @Test("what this run made or read stays, whatever the limit, and what finds no room is told")
    func spared() throws {
        let folder = try TemporaryFolder()
        let tensor = Tensor(zeros: [1000])
        let keys = try (0..<8).map { try ItemCacheTests.key("\($0)") }
        let before = ItemCache(folder: folder.path, limit: 25_500, signer: Signer.test)
        for key in keys[..<3] { before.store(key) { $0.write(tensor) } }
        let cache = ItemCache(folder: folder.path, limit: 25_500, signer: Signer.test)
        #expect(cache.value(keys[0]) { try $0.tensor() } != nil)
        for key in keys[3...] { cache.store(key) { $0.write(tensor) } }
        // Six entries of four kilobytes: the one that was read, five that were made, and the two of another
        // run went.
        let later = ItemCache(folder: folder.path, signer: Signer.test)
        #expect(
            keys.map { key in later.value(key) { try $0.tensor() } != nil } == [
                true, false, false, true, true, true, true, true,
            ])
        cache.store(try ItemCacheTests.key("more")) { $0.write(tensor) }
        #expect(
            cache.remarks.unkept == 1 && cache.remarks.lines[0].contains("24.9 KiB")
                && cache.remarks.lines[0].contains("--cache-limit"))
        #expect(cache.value(keys[0]) { try $0.tensor() } != nil)
        // Nothing is kept at 0.
        let none = ItemCache(folder: folder.path("none"), limit: 0, signer: Signer.test)
        none.store(keys[0]) { $0.write(tensor) }
        #expect(none.value(keys[0]) { try $0.tensor() } == nil && none.remarks.lines == [])
    }

    @Test("a folder that is removed while a program runs is told once, and the next result is kept again")
    func vanished() throws {
        let folder = try TemporaryFolder()
        let cache = ItemCache(folder: folder.path("c"), signer: Signer.test)
        let key = try ItemCacheTests.key("a")
        cache.beginRun()
        cache.store(key) { $0.write(1) }
        try AtomicFolder.remove(folder.path("c"))
        cache.log.note(WorkKind("w", parameters: 1, shape: []), units: 1, .seconds(1))
        cache.endRun("p")
        #expect(
            cache.remarks.lines == ["\(folder.path("c")) was removed meanwhile: what was kept in it is gone"])
        #expect(!FileSystem.exists(folder.path("c")))
        cache.beginRun()
        cache.store(key) { $0.write(1) }
        #expect(cache.value(key) { try $0.int() } == 1 && cache.remarks.lines == [])
    }

    @Test(
        "sizes as users write them",
        arguments: [
            ("500M", 500 << 20), ("20G", 20 << 30), ("1.5g", 3 << 29), ("0", 0), ("7", 7), ("2KiB", 2048),
            ("1TB", 1 << 40), ("", nil), ("G", nil), ("-1", nil),
            ("1.5", nil), ("1e9", nil), ("5X", nil), ("99999999T", nil),
        ] as [(String, Int?)]) func sizes(_ text: String, _ bytes: Int?)
    {
        #expect(ByteSize(text)?.bytes == bytes)
    }

    @Test("counts say what came from the cache, by verb where verbs differ") func counts() {
        var counts = CacheCounts()
        #expect(!counts.hasCached)
        counts.add("denoise", cached: 16, computed: 8)
        counts.add("decode", cached: 16, computed: 8)
        #expect(counts.description == "cached 16, computed 8")
        counts.add("encode", cached: 24, computed: 0)
        #expect(
            counts.description
                == "denoise: cached 16, computed 8; decode: cached 16, computed 8; encode: cached 24, computed 0"
        )
    }
}
