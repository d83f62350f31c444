import { context, propagation, ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
	BasicTracerProvider,
	InMemorySpanExporter,
	type ReadableSpan,
	SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** For the top of a suite: OpenTelemetry as n8n registers it, and a node whose span is open. */
export function useTraces() {
	const exporter = new InMemorySpanExporter();
	let nodeSpan: Span;
	beforeEach(() => {
		const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
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
		/** What n8n's `httpRequest` does before it looks whether the request is aborted. */
		helpers: {
			async httpRequest({ headers, abortSignal }: { headers: object; abortSignal: AbortSignal }): Promise<never> {
				requests++;
				propagation.inject(trace.setSpan(context.active(), nodeSpan), headers);
				await Promise.resolve();
				if (!abortSignal.aborted) throw new Error('a request that nobody may see');
				throw new Error('canceled');
			},
		},
		/** Requests that n8n was asked for. */
		asked: () => requests,
		/** Those that ended, in their order. */
		spans: (): ReadableSpan[] => exporter.getFinishedSpans(),
		nodeSpanId: () => nodeSpan.spanContext().spanId,
		traceId: () => nodeSpan.spanContext().traceId,
		/** n8n without its tracing. */
		switchOff() {
			trace.disable();
			propagation.disable();
		},
	};
}
