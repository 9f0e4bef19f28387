internal import ConnectorKit

extension CuraConnectBackend {
  /// What a Cura in the network is told.
  static let sent: [SentField] =
    fields(
      "advertisement",
      [
        ("instance", "The printer's name in the network's list of services."),
        ("type", "Always `printer`."), ("name", "The printer's name."),
        ("machine", "Which of Cura's definitions fits."),
        ("firmware_version", "The version that Cura is told."), ("cluster_size", "Always 1."),
      ])
    + fields(
      "system",
      [
        ("guid", "The printer's UUID."), ("firmware", "The version that Cura is told."),
        ("hostname", "This host's name."), ("name", "The printer's name."),
        ("platform", "Always `Linux`."), ("variant", "The definition's name."),
        ("hardware.typeid", "Which of Cura's definitions fits."),
        ("hardware.revision", "Always 0."),
      ])
    + fields(
      "printers",
      [
        ("[].uuid", "The printer's UUID."), ("[].unique_name", "Its name in the list of services."),
        ("[].friendly_name", "Its name."), ("[].machine_variant", "The definition's name."),
        ("[].firmware_version", "The version that Cura is told."),
        ("[].ip_address", "Where the camera is."), ("[].enabled", "Always true."),
        ("[].status", "What it does."),
        ("[].configuration.*", "Nozzles and materials, as you set them."),
        ("[].firmware_update_status", "Always `up_to_date`."),
        ("[].latest_available_firmware", "The version that Cura is told."),
        ("[].maintenance_required", "Always false."), ("[].reserved_by", "Always empty."),
      ])
    + fields(
      "print_jobs",
      [
        ("[].uuid", "The job's UUID."), ("[].name", "The file's name."),
        ("[].status", "Where the job stands."), ("[].created_at", "When it was sent or begun."),
        ("[].started", "Whether it has begun."), ("[].force", "Whether Override was pressed."),
        ("[].machine_variant", "The definition's name."),
        ("[].time_total", "How long it takes, s."),
        ("[].time_elapsed", "How long it has printed, s."),
        ("[].configuration.*", "Nozzles and materials, as you set them."),
        ("[].constraints", "Always empty."), ("[].owner", "Who sent it."),
        ("[].compatible_machine_families", "Always empty."),
        ("[].assigned_to", "The printer's UUID, for the job on it."),
        ("[].printer_uuid", "The same."),
        ("[].impediments_to_printing.*", "That a job came to nothing."),
      ])
    + fields(
      "materials",
      [("[].guid", "A profile that Cura has sent."), ("[].version", "Its version.")])
    + fields("preview_image", [("image", "The picture in the job's file.")])
    + fields("camera", [("image", "The camera's pictures, with `camera_proxy`.")])
    + fields("page", [("html", "The jobs with their senders, and why they wait.")])

  private static func fields(
    _ message: String, _ fields: [(path: String, meaning: String)]
  ) -> [SentField] {
    fields.map { SentField(message, $0.path, $0.meaning) }
  }
}
