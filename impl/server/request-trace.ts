/** What a traced request tells on its way; telemetry.ts makes spans of it. Mirrors no spec module. */
export interface RequestTrace {
  /** It is in a prepare that this replica, as primary, has submitted; again when it was submitted again. */
  proposed(op: number): void;
  /** It is committed and applied here, or was by the primary that answered. */
  committed(op: number): void;
  /** The last: the answer goes out. */
  answered(code: string): void;
}
