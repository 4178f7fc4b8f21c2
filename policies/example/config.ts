export interface ExampleConfig {
  readonly enabled: boolean;
  /** Nodes with this label set to `true` are emptied when others have room. */
  readonly label: string;
}

export const DEFAULT_EXAMPLE_CONFIG: ExampleConfig = { enabled: false, label: "io.evenkeel.prefer-empty" };
