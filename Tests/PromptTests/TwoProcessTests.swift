import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ProcessTests {
    @Suite("Two processes over one cache") struct TwoProcessTests {
        /// What an undisturbed run of the notebook gives.
        private static func expected(of name: String = "n") throws -> [String: [UInt8]] {
            let plain = try Desk()
            try plain.lay(as: name)
            try #require(plain.start(notebook: name).wait().status == 0)
            return try plain.results(of: name)
        }

        @Test("that run different notebooks at once give each the bytes of a run alone") func different()
            throws
        {
            let desk = try Desk()
            try desk.lay(as: "m")
            let both = try ["n", "m"].map { try desk.start(notebook: $0, output: "told-\($0)") }.map {
                try $0.wait()
            }
            for ended in both { #expect(ended.status == 0, "\(ended.told)") }
            for name in ["n", "m"] {
                #expect(try desk.results(of: name).differences(from: Self.expected(of: name)) == [])
            }
            #expect(try desk.entries().values.allSatisfy(Desk.isWhole))
            #expect(try desk.leftovers() == [])
            #expect(try desk.run().told.contains("cached 6, computed 0"))
        }

        @Test("that write the same notebook at once agree") func same() throws {
            let expected = try Self.expected()
            let desk = try Desk()
            let both = try ["told-0", "told-1"].map { try desk.start(output: $0) }
            for process in both {
                let ended = try process.wait()
                #expect(ended.status == 0, "\(ended.told)")
            }
            #expect(try desk.results().differences(from: expected) == [])
            #expect(try desk.leftovers() == [])
            // One reads the notebook and stands still while the other writes it; then it writes the same.
            try desk.forgetCache()
            try desk.forgetResults()
            let slow = try desk.start(output: "told-0")
            let isBetween = try slow.stop { try !Desk.entryNames(in: desk.folder).isEmpty }
            let fast = try desk.run()
            #expect(fast.status == 0, "\(fast.told)")
            if isBetween { slow.resume() }
            let ended = try slow.wait()
            #expect(ended.status == 0, "\(ended.told)")
            #expect(try desk.results().differences(from: expected) == [])
            #expect(try desk.leftovers() == [])
        }

        @Test("go on when one of them is killed") func killed() throws {
            let plain = try Desk(), desk = try Desk()
            try #require(plain.run().status == 0)
            let expected = try plain.results(), whole = try plain.progress()
            var generator = SmallGenerator(seed: 3)
            for round in 0..<4 {
                let first = try desk.start(output: "told-0"), second = try desk.start(output: "told-1")
                try desk.advance(first, of: whole, &generator)
                first.signal(SIGKILL)
                _ = try first.wait()
                let ended = try second.wait()
                #expect(ended.status == 0, "\(ended.told)")
                #expect(try desk.results().differences(from: expected) == [], "round \(round)")
                #expect(try desk.entries().values.allSatisfy(Desk.isWhole))
                try desk.forgetCache()
                try desk.forgetResults()
            }
        }

        @Test("that make the same model at once both get it") func model() throws {
            let folder = try TemporaryFolder()
            let program = """
                t = new tokenizer size=514 | fit tokenizer on=(items text="a","b")
                u = new unet channels=64,128 layers=1 context=32 heads=8 sample=8
                v = new vae channels=32,64 layers=1
                c = new clip tokenizer=t hidden=32 layers=1 heads=2 projection=16
                model = new model unet=u vae=v clip=c tokenizer=t
                model.parameters
                """
            try AtomicFile.write(program, to: folder.path("p.noise"))
            for _ in 0..<5 {
                let both = try (0..<2).map {
                    try ChildProcess(
                        Executable.path, ["run", folder.path("p.noise")], output: folder.path("told-\($0)"))
                }
                .map { try $0.wait() }
                for ended in both { #expect(ended.status == 0, "\(ended.told)") }
                #expect(both[0].told == both[1].told)
                // The tokenizer and the model, and nothing half.
                #expect(try FileSystem.list(folder.path(".noisebook/models")).count == 2)
                try AtomicFolder.remove(folder.path(".noisebook"))
            }
        }
    }
}
