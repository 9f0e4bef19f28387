import ConnectorKit
import JSON
import Moonraker
import Testing

@Suite("The subscription's plan") struct SubscriptionPlanTests {
  static let available = [
    "webhooks", "print_stats", "toolhead", "extruder", "temperature_sensor chamber",
    "temperature_sensor raspberry_pi", "temperature_sensors", "heater_bed",
  ]

  @Test("names with a star stand for all sections of that kind") func stars() {
    let plan = SubscriptionPlan(
      StatusInterest([
        "temperature_sensor *": .named(["temperature"]),
        "temperature_sensor chamber": .named(["measured_max_temp"]),
      ]), available: Self.available)
    #expect(
      plan.subscribed["temperature_sensor chamber"] == ["measured_max_temp", "temperature"])
    #expect(plan.subscribed["temperature_sensor raspberry_pi"] == ["temperature"])
    #expect(plan.subscribed["temperature_sensors"] == nil)
  }

  @Test("what the printer lacks is left out") func unknownObjects() {
    let plan = SubscriptionPlan(
      StatusInterest(["fan": .all, "heater_bed": .all], once: ["fan": ["rpm"]]),
      available: Self.available)
    #expect(plan.subscribed.keys == ["heater_bed", "print_stats", "webhooks"])
    #expect(plan.subscribed["heater_bed"] == .null)
    #expect(plan.queried.isEmpty)
    #expect(plan.once.isEmpty)
  }

  @Test("what changes with every look is never subscribed, whatever is asked for")
  func restless() {
    for fields in [
      StatusInterest.Fields.all, .named(["position", "estimated_print_time"]),
    ] {
      let plan = SubscriptionPlan(
        StatusInterest(["toolhead": fields], once: ["toolhead": ["estimated_print_time"]]),
        available: Self.available)
      let names = plan.subscribed["toolhead"]?.array?.compactMap(\.string) ?? []
      #expect(names.contains("position"))
      #expect(!names.contains("estimated_print_time"))
      #expect(plan.queried == ["toolhead": ["estimated_print_time"]])
    }
  }

  @Test("the union of two interests asks for what either needs") func union() {
    var interest = StatusInterest(
      ["extruder": .named(["temperature"]), "heater_bed": .named(["target"])],
      once: ["toolhead": ["a"]])
    interest.formUnion(
      StatusInterest(
        ["extruder": .named(["target"]), "heater_bed": .all], once: ["toolhead": ["b"]],
        wantsDiskUsage: true))
    let plan = SubscriptionPlan(interest, available: Self.available)
    #expect(plan.subscribed["extruder"] == ["target", "temperature"])
    #expect(plan.subscribed["heater_bed"] == .null)
    #expect(plan.queried == ["toolhead": ["a", "b"]])
    #expect(interest.wantsDiskUsage)
  }
}
