import type { ExitCode } from '../shared/errors.js';
import type { NightReport } from './night-report.js';

/** One metric: what it says, and its values with their labels. */
type Metric = { readonly name: string; readonly help: string; readonly values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[] };

/** The metrics of a night that ended, or could not begin (then nothing is known but that), in Prometheus' text format 0.0.4. `at`: milliseconds since 1970. */
export function formatNightMetrics(night: { readonly startedAt: number; readonly endedAt: number; readonly exit: ExitCode; readonly report: NightReport | undefined }): string {
  const { report } = night;
  const plain = (value: number): Metric['values'] => [[{}, value]];
  const perImage = (images: Iterable<string>, value: (image: string) => number): Metric['values'] => [...images].map((image) => [{ image }, value(image)]);
  const oldest = Math.min(...(report?.pending ?? []).map(({ since }) => since));
  const metrics: readonly Metric[] = [
    { name: 'last_run_timestamp_seconds', help: 'When the last night ended, since 1970.', values: plain(night.endedAt / 1000) },
    { name: 'last_run_exit_code', help: 'How the last night ended: 0 is well, others are those of the program.', values: plain(night.exit) },
    { name: 'last_run_duration_seconds', help: 'How long the last night was at work.', values: plain((night.endedAt - night.startedAt) / 1000) },
    ...(report === undefined
      ? []
      : ([
          { name: 'images_outdated', help: 'Images for which there were newer packages when it began.', values: plain(report.outdated) },
          { name: 'images_built', help: 'Images that were built.', values: plain(report.refreshed.size + report.rebuilt.length + report.built.length) },
          { name: 'images_failed', help: 'Images that failed, and those that still wait for their next try.', values: plain(report.failed.length) },
          { name: 'images_blocked', help: 'Images that could not be built since another one failed, or that may not be.', values: plain(report.blocked.length) },
          { name: 'images_left', help: 'Images that were due and not begun.', values: plain((report.left?.images.length ?? 0) + report.listed.length) },
          { name: 'images_unknown', help: 'Images whose package archives could not be read.', values: plain(report.unknown.size) },
          { name: 'security_fixes_pending', help: 'Security updates that images still wait for.', values: plain(report.pending.length) },
          { name: 'oldest_pending_security_fix_age_seconds', help: 'For how long the oldest of them is to be had; 0: there is none.', values: plain(oldest === Infinity ? 0 : (night.endedAt - oldest) / 1000) },
          { name: 'image_failed_nights', help: 'In how many nights an image failed, one after the other.', values: perImage(report.failed.map(({ image }) => image), (image) => report.failed.find((one) => one.image === image)!.nights) },
          { name: 'image_unknown', help: 'An image whose package archives could not be read.', values: perImage(report.unknown.keys(), () => 1) },
        ] satisfies readonly Metric[])),
  ];
  return metrics.filter(({ values }) => values.length > 0).map(formatMetric).join('');
}

function formatMetric({ name, help, values }: Metric): string {
  const full = `build_images_nightly_${name}`;
  return `# HELP ${full} ${help}\n# TYPE ${full} gauge\n${values.map(([labels, value]) => `${full}${formatLabels(labels)} ${value}\n`).join('')}`;
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
