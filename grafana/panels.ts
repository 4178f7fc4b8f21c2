import * as common from "@grafana/grafana-foundation-sdk/common";
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
} from "@grafana/grafana-foundation-sdk/common";
import {
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as HeatmapPanel } from "@grafana/grafana-foundation-sdk/heatmap";
import { PanelBuilder as StatPanel } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateTimelinePanel } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TimeSeriesPanel } from "@grafana/grafana-foundation-sdk/timeseries";
import { DATASOURCE, heatmapQuery, instantQuery, type Query, rangeQuery } from "./query.js";

interface PanelWords {
  readonly title: string;
  /** What the reader learns, and what to do about it; shown behind the panel's (i). */
  readonly about: string;
  readonly queries: readonly Query[];
  readonly unit?: string;
}

export interface StatWords extends PanelWords {
  /** Colours from this value up; the colour below is green. */
  readonly steps?: readonly (readonly [value: number, colour: string])[];
  readonly mappings?: ValueMapping[];
}

/** One number now. Six of them fill a line. */
export function stat(words: StatWords): StatPanel {
  return new StatPanel()
    .title(words.title)
    .description(words.about)
    .datasource(DATASOURCE)
    .targets(words.queries.map(instantQuery))
    .unit(words.unit ?? "short")
    .thresholds(thresholds(words.steps ?? []))
    .mappings(words.mappings ?? [])
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .noValue("unknown")
    .height(4)
    .span(4);
}

export interface LineWords extends PanelWords {
  /** Dashed lines at these values. */
  readonly bounds?: readonly (readonly [value: number, colour: string])[];
  readonly max?: number;
  readonly span?: number;
}

/** Lines over time. Gaps stay gaps: an unknown value must not look like its neighbours. */
export function lines(words: LineWords): TimeSeriesPanel {
  const panel = new TimeSeriesPanel()
    .title(words.title)
    .description(words.about)
    .datasource(DATASOURCE)
    .targets(words.queries.map(rangeQuery))
    .unit(words.unit ?? "short")
    .min(0)
    .lineWidth(1)
    .fillOpacity(5)
    .showPoints(VisibilityMode.Auto)
    .spanNulls(false)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull"]),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .height(8)
    .span(words.span ?? 12);
  if (words.max !== undefined) panel.max(words.max);
  if (words.bounds !== undefined) {
    panel
      .thresholds(thresholds(words.bounds))
      .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  return panel;
}

/** Stacked bars: how many, of which kind. */
export function bars(words: LineWords): TimeSeriesPanel {
  return lines(words)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70)
    .stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
}

export interface TimelineWords extends PanelWords {
  /** By the number the query gives. */
  readonly states: Readonly<Record<number, readonly [text: string, colour: string]>>;
}

/** One band for each series, coloured by state. */
export function timeline(words: TimelineWords): StateTimelinePanel {
  return new StateTimelinePanel()
    .title(words.title)
    .description(words.about)
    .datasource(DATASOURCE)
    .targets(words.queries.map(rangeQuery))
    .mappings([valueMap(words.states)])
    .thresholds(thresholds([]))
    .mergeValues(true)
    .spanNulls(false)
    .height(8)
    .span(12);
}

/** How often each duration occurred, over time, from a histogram's buckets. */
export function heatmap(words: PanelWords & { readonly span?: number }): HeatmapPanel {
  return new HeatmapPanel()
    .title(words.title)
    .description(words.about)
    .datasource(DATASOURCE)
    .targets(words.queries.map(heatmapQuery))
    .calculate(false)
    .unit(words.unit ?? "s")
    .height(8)
    .span(words.span ?? 12);
}

export function valueMap(values: Readonly<Record<number, readonly [text: string, colour: string]>>): ValueMapping {
  const options = Object.entries(values).map(([value, [text, color]], index) => [value, { text, color, index }] as const);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}

function thresholds(steps: readonly (readonly [value: number, colour: string])[]): ThresholdsConfigBuilder {
  const all: Threshold[] = [{ value: null, color: "green" }, ...steps.map(([value, color]) => ({ value, color }))];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all);
}
