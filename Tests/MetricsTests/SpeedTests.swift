import LinearAlgebra
import Metrics
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The counterpart of `peer.py fid`, run where NOISEBOOK_SPEED is set.
@Suite("Speed", .serialized, .enabled(if: getenv("NOISEBOOK_SPEED") != nil)) struct SpeedTests {
    @Test(
        """
        the Fréchet distance of 36 against 5,000 rows of 2,048, statistics included, and of 3,000 against \
        5,000
        """)
    func frechet() throws {
        let x = Features.random(36, 2_048, seed: 1), y = Features.random(5_000, 2_048, seed: 2)
        let clock = ContinuousClock()
        let times = try (0..<6).map { _ in
            try clock.measure { _ = try FrechetDistance.between(.init(x), .init(y)) }
        }
        print("36 against 5,000: \(times.dropFirst().sorted())")
        let many = Features.random(3_000, 2_048, seed: 3)
        print(
            "with influence: \(try clock.measure { _ = try FrechetDistance.estimate(x, against: .init(y)) })")
        print(
            """
            3,000 against 5,000: \
            \(try clock.measure { _ = try FrechetDistance.between(.init(many), .init(y)) })
            """)
        print(
            "with influence: \(try clock.measure { _ = try FrechetDistance.estimate(many, against: .init(y)) })"
        )
    }
}
