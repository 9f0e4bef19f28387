import ConnectorKit
import Testing

@Suite("Exponential back-off") struct ExponentialBackoffTests {
  private typealias Policy = ExponentialBackoff.Policy

  @Test(
    "The n-th wait is twice the one before, up to the cap",
    arguments: [
      (Policy(factors: 1...1), [1, 2, 4, 8, 16, 32, 60, 60]),
      (
        Policy(first: .seconds(10), cap: .seconds(300), factors: 1...1), [10, 20, 40, 80, 160, 300]
      ),
      (Policy(first: .seconds(90), factors: 1...1), [60, 60]),
    ] as [(ExponentialBackoff.Policy, [Int])])
  func doubles(policy: ExponentialBackoff.Policy, seconds: [Int]) {
    var backoff = ExponentialBackoff(policy)
    for (index, wait) in seconds.enumerated() {
      #expect(policy.wait(afterFailure: index + 1, random: 0.3) == .seconds(wait))
      #expect(backoff.failed(random: 0.3) == .seconds(wait))
      #expect(backoff.failures == index + 1)
    }
    #expect(policy.wait(afterFailure: 0, random: 0) == policy.wait(afterFailure: 1, random: 0))
  }

  @Test(
    "The random number spreads a wait over all of its factors",
    arguments: [
      (0...1, [0.0, 0.5, 1.0]), (0.5...1, [0.5, 0.75, 1]), (0.75...1.25, [0.75, 1, 1.25]),
    ]
      as [(ClosedRange<Double>, [Double])])
  func spreads(factors: ClosedRange<Double>, seconds: [Double]) {
    for (random, wait) in zip([0, 0.5, 1], seconds) {
      #expect(Policy(factors: factors).wait(afterFailure: 1, random: random) == .seconds(wait))
    }
  }

  @Test("After a success the first wait comes again")
  func success() {
    var backoff = ExponentialBackoff(Policy(factors: 1...1))
    for _ in 0..<4 { _ = backoff.failed(random: 0) }
    backoff.succeeded()
    #expect(backoff.failures == 0)
    #expect(backoff.failed(random: 0) == .seconds(1))
  }

  @Test("Retry-After counts where it is longer")
  func retryAfter() {
    var backoff = ExponentialBackoff(Policy(factors: 1...1))
    #expect(backoff.failed(random: 0, retryAfter: .seconds(120)) == .seconds(120))
    #expect(backoff.failed(random: 0, retryAfter: .zero) == .seconds(2))
  }

  @Test("Failures without end do not overflow")
  func endless() {
    var backoff = ExponentialBackoff()
    for _ in 0..<10_000 { #expect(backoff.failed(random: 1) <= .seconds(60)) }
    #expect(Policy().wait(afterFailure: .max, random: 1) == .seconds(60))
    #expect(Policy().wait(afterFailure: .min, random: 1) == .seconds(1))
  }

  @Test("An interval's jitter stays within its share to either side")
  func jitter() {
    #expect(Duration.seconds(10).jittered(0) == .seconds(9))
    #expect(Duration.seconds(10).jittered(0.5) == .seconds(10))
    #expect(Duration.seconds(10).jittered(1.0.nextDown) <= .seconds(11))
    #expect(Duration.seconds(10).jittered(0, share: 0.5) == .seconds(5))
  }
}
