internal import CPlatform

extension HostInformation {
  /// Whether the kernel counts its clock as set by a time service; nil where it does not say.
  package static var isClockSynchronized: Bool? {
    switch platform_clock_state() {
    case 1: true
    case 0: false
    default: nil
    }
  }
}
