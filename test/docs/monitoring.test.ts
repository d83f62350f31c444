import { exportedNames, metricsOf, type SpanMetric } from '../servers/span-metrics';
import type { ExportedSpan } from '../servers/otlp';
import { attributesOf } from '../../lib/tracing/attributes';
import {
	metricsIn,
	monitoringFile,
	panels,
	queries,
	rules,
	spanMetrics,
} from '../support/monitoring';

const span = (attributes: Record<string, unknown>): ExportedSpan => ({
	name: 'chat',
	traceId: '',
	spanId: '',
	parentSpanId: undefined,
	kind: 3,
	attributes,
	status: { code: 0 },
	scope: '',
});

/** A span that has every attribute. */
const full = () =>
	attributesOf(
		{
			operation: 'chat',
			model: 'm',
			provider: 'llamaServer',
			priority: 'person',
			place: { waitedMs: 40, wasGivenUp: true },
			trace: { userId: 'anna' },
			startedAt: 0,
			firstTokenAt: 300,
			finishReason: 'length',
			usage: { promptTokens: 10, completionTokens: 5, cachedTokens: 4 },
			tokensPerSecond: 30,
			acceptedDrafts: 0.5,
			error: 'refused',
			server: { origin: 'http://llama:8080' } as never,
		},
		(text) => text,
	);

describe('the metrics of the collector', () => {
	it('use attributes that our spans have, and no others', () => {
		const known = Object.keys(full());
		const used = spanMetrics().flatMap(({ conditions, attributes, sum, histogram }) => [
			...[...conditions, (sum ?? histogram)!.value].flatMap((text) =>
				[...text.matchAll(/attributes\["([^"]+)"\]/g)].map(([, name]) => name!),
			),
			...attributes.map(({ key }) => key),
		]);
		expect(used.length).toBeGreaterThan(30);
		expect(used.filter((name) => !known.includes(name))).toEqual([]);
	});

	it('count, sum up and sort into buckets', () => {
		const one: SpanMetric = {
			name: 'a.b',
			description: '',
			conditions: ['attributes["x"] != nil and attributes["y"] == "z"'],
			attributes: [{ key: 'user.id', default_value: 'none' }],
			histogram: { buckets: [1, 2], value: 'Double(attributes["x"])' },
		};
		const text = metricsOf(
			[one],
			[span({ x: 1.5, y: 'z' }), span({ x: 3, y: 'z' }), span({ x: 1 })],
		);
		expect(text).toBe(
			[
				'a_b_bucket{user_id="none",le="1"} 0',
				'a_b_bucket{user_id="none",le="2"} 1',
				'a_b_bucket{user_id="none",le="+Inf"} 2',
				'a_b_sum{user_id="none"} 4.5',
				'a_b_count{user_id="none"} 2',
				'',
			].join('\n'),
		);
	});

	it('each have a value from a span', () => {
		const failed = { ...full(), 'local_llama.place_given_up': undefined };
		const text = metricsOf(spanMetrics(), [span(full()), span(failed)]);
		const missing = spanMetrics()
			.flatMap(exportedNames)
			.filter((name) => !text.includes(`${name}{`));
		expect(missing).toEqual([]);
	});
});

describe('the dashboard and the alert rules', () => {
	it('ask for metrics of the collector, of llama-server and of n8n', () => {
		const ours = spanMetrics().flatMap(exportedNames);
		const asked = [...new Set(queries().flatMap(metricsIn))];
		expect(queries().every((query) => metricsIn(query).length > 0)).toBe(true);
		expect(asked.filter((name) => name.startsWith('local_llama_') && !ours.includes(name))).toEqual(
			[],
		);
		// Those of the others: test/e2e/monitoring.test.ts looks for them in what they export.
		expect(asked.filter((name) => !name.startsWith('local_llama_')).sort()).toEqual([
			'llamacpp:prompt_tokens_total',
			'llamacpp:requests_deferred',
			'llamacpp:requests_processing',
			'llamacpp:tokens_predicted_total',
			'n8n_nodejs_eventloop_lag_p99_seconds',
			'n8n_process_resident_memory_bytes',
			'up',
		]);
	});

	it('use every metric of the collector', () => {
		const asked = queries().flatMap(metricsIn);
		const unused = spanMetrics().filter(
			(metric) => !exportedNames(metric).some((name) => asked.includes(name)),
		);
		expect(unused.map(({ name }) => name)).toEqual([]);
	});

	it('have panels that Grafana can place, and rules that say what to do', () => {
		const places = panels().map(({ gridPos: { x, y } }) => `${x} ${y}`);
		expect(new Set(places).size).toBe(places.length);
		for (const { gridPos, type, targets, title } of panels()) {
			expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
			expect({ title, type }).toEqual({ title, type: 'timeseries' });
			expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
		}
		for (const { annotations } of rules()) expect(annotations.remedy).not.toBe('');
	});

	it.each(['README.md', 'README.zh-CN.md'])('have each rule and file in %s', (page) => {
		const text = monitoringFile(page);
		const files = ['collector.yaml', 'prometheus.yaml', 'rules.yaml', 'dashboard.json'];
		const missing = [...rules().map(({ alert }) => alert), ...files].filter(
			(name) => !text.includes(name),
		);
		expect(missing).toEqual([]);
	});
});
