/**
 * What an OpenTelemetry Collector does with docs/monitoring/collector.yaml, as far as that file uses it: its connector
 * `signaltometrics` makes sums and histograms of spans, its exporter `prometheus` shows them. Written after their
 * documentation; names are those of the real ones (dots become underscores, sums get `_total`).
 */
import type { ExportedSpan } from './otlp';

export interface SpanMetric {
	name: string;
	description: string;
	conditions: string[];
	attributes: Array<{ key: string; default_value: string }>;
	sum?: { value: string };
	histogram?: { buckets: number[]; value: string };
}

const nameOf = (name: string) => name.replaceAll('.', '_');

/** The names under which Prometheus gets a metric. */
export function exportedNames({ name, histogram }: SpanMetric): string[] {
	if (histogram === undefined) return [`${nameOf(name)}_total`];
	return ['_bucket', '_sum', '_count'].map((ending) => nameOf(name) + ending);
}

/** `attributes["…"]`, with or without an index. */
function attributeIn(expression: string, { attributes }: ExportedSpan): unknown {
	const match = /^attributes\["([^"]+)"\](\[0\])?$/.exec(expression);
	if (match === null) throw new Error(`Not known here: ${expression}`);
	const value = attributes[match[1]!];
	return match[2] === undefined ? value : (value as unknown[] | undefined)?.[0];
}

function holds(condition: string, span: ExportedSpan): boolean {
	const match = /^(\S+) (==|!=) (nil|"[^"]*")$/.exec(condition);
	if (match === null) throw new Error(`Not known here: ${condition}`);
	const [, left, operator, right] = match as unknown as [string, string, string, string];
	const isEqual =
		attributeIn(left, span) === (right === 'nil' ? undefined : (JSON.parse(right) as string));
	return isEqual === (operator === '==');
}

const fits = ({ conditions }: SpanMetric, span: ExportedSpan) =>
	conditions.some((all) => all.split(' and ').every((condition) => holds(condition, span)));

function valueOf(expression: string, span: ExportedSpan): number {
	if (/^\d+$/.test(expression)) return Number(expression);
	const inner = /^(?:Int|Double)\((.+)\)$/.exec(expression)?.[1];
	if (inner === undefined) throw new Error(`Not known here: ${expression}`);
	return Number(attributeIn(inner, span));
}

function labelsOf({ attributes }: SpanMetric, span: ExportedSpan): string {
	return attributes
		.map(({ key, default_value: preset }) => {
			const value = String(span.attributes[key] ?? preset);
			return `${nameOf(key)}=${JSON.stringify(value)}`;
		})
		.join(',');
}

function linesOf(metric: SpanMetric, labels: string, spans: readonly ExportedSpan[]): string[] {
	const [total, ...others] = exportedNames(metric);
	const { sum, histogram } = metric;
	const values = spans.map((span) => valueOf((sum ?? histogram)!.value, span));
	const all = values.reduce((one, other) => one + other, 0);
	if (histogram === undefined) return [`${total}{${labels}} ${all}`];
	const below = (limit: number) => values.filter((value) => value <= limit).length;
	return [
		...[...histogram.buckets, Infinity].map((limit) => {
			const le = limit === Infinity ? '+Inf' : String(limit);
			return `${total}{${labels},le="${le}"} ${below(limit)}`;
		}),
		`${others[0]}{${labels}} ${all}`,
		`${others[1]}{${labels}} ${values.length}`,
	];
}

/** The metrics of all spans, in the format that Prometheus reads. */
export function metricsOf(metrics: readonly SpanMetric[], spans: readonly ExportedSpan[]): string {
	const lines = metrics.flatMap((metric) => {
		const series = Map.groupBy(
			spans.filter((span) => fits(metric, span)),
			(span) => labelsOf(metric, span),
		);
		return [...series].flatMap(([labels, ofSeries]) => linesOf(metric, labels, ofSeries));
	});
	return `${lines.join('\n')}\n`;
}
