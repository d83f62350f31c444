import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
	BasicTracerProvider,
	InMemorySpanExporter,
	SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** Call at the top of a suite: registers OpenTelemetry as n8n does, with an open span of a node. */
export function useTraces() {
	const exporter = new InMemorySpanExporter();
	let nodeSpan: Span;
	beforeEach(() => {
		const provider = new BasicTracerProvider({
			spanProcessors: [new SimpleSpanProcessor(exporter)],
		});
		trace.setGlobalTracerProvider(provider);
		propagation.setGlobalPropagator(new W3CTraceContextPropagator());
		nodeSpan = trace.getTracer('n8n').startSpan('node.execute', {}, ROOT_CONTEXT);
	});
	afterEach(() => {
		trace.disable();
		propagation.disable();
		exporter.reset();
	});
	let requests = 0;
	return {
		/** Counts the request before the abort signal is checked, as n8n's `httpRequest` does. */
		helpers: {
			async httpRequest({
				headers,
				abortSignal,
			}: {
				headers: object;
				abortSignal: AbortSignal;
			}): Promise<never> {
				requests++;
				propagation.inject(trace.setSpan(context.active(), nodeSpan), headers);
				await Promise.resolve();
				if (!abortSignal.aborted) throw new Error('a request after the abort');
				throw new Error('canceled');
			},
		},
		/** Requests through n8n's helpers. */
		requestCount: () => requests,
		/** Ended spans, in order. */
		spans: (): ReadableSpan[] => exporter.getFinishedSpans(),
		nodeSpanId: () => nodeSpan.spanContext().spanId,
		traceId: () => nodeSpan.spanContext().traceId,
		/** Turns n8n's tracing off. */
		switchOff() {
			trace.disable();
			propagation.disable();
		},
	};
}
