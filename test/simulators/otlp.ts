import { startScripted } from '../support/servers/scripted-server';

/** An exported span. */
export interface ExportedSpan {
	name: string;
	traceId: string;
	spanId: string;
	parentSpanId: string | undefined;
	/** 1: internal, 3: client. */
	kind: number;
	attributes: Record<string, unknown>;
	/** 2: error. */
	status: { code: number; message?: string };
	/** Name of the tracer. */
	scope: string;
}

type Field = readonly [number: number, value: Buffer | bigint];

/** The fields of a protobuf message, in their order. */
function* fieldsOf(bytes: Buffer): Generator<Field> {
	let at = 0;
	const varint = () => {
		for (let value = 0n, shift = 0n; ; shift += 7n) {
			const byte = bytes[at++]!;
			value |= BigInt(byte & 0x7f) << shift;
			if (byte < 0x80) return value;
		}
	};
	const take = (length: number) => bytes.subarray(at, (at += length));
	while (at < bytes.length) {
		const tag = Number(varint());
		const wire = tag & 7;
		const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint()));
		yield [tag >> 3, value];
	}
}

const every = (message: Buffer, field: number) =>
	[...fieldsOf(message)].flatMap(([number, value]) => (number === field ? [value] : []));
const messages = (message: Buffer, field: number) =>
	every(message, field).filter((value) => Buffer.isBuffer(value));
const first = (message: Buffer, field: number) => messages(message, field)[0] ?? Buffer.alloc(0);
const text = (message: Buffer, field: number) => first(message, field).toString();
const count = (message: Buffer, field: number) => Number(every(message, field)[0] ?? 0);

/** `AnyValue` of OTLP. */
function valueOf(message: Buffer): unknown {
	for (const [field, value] of fieldsOf(message)) {
		if (typeof value === 'bigint')
			return field === 2 ? value === 1n : Number(BigInt.asIntN(64, value));
		if (field === 1) return value.toString();
		if (field === 4) return value.readDoubleLE();
		if (field === 5) return messages(value, 1).map(valueOf);
	}
	return undefined;
}

function spansIn(request: Buffer): ExportedSpan[] {
	const scopes = messages(request, 1).flatMap((resource) => messages(resource, 2));
	return scopes.flatMap((scope) =>
		messages(scope, 2).map((span) => ({
			name: text(span, 5),
			traceId: first(span, 1).toString('hex'),
			spanId: first(span, 2).toString('hex'),
			parentSpanId: first(span, 4).toString('hex') || undefined,
			kind: count(span, 6),
			attributes: Object.fromEntries(
				messages(span, 9).map((pair): [string, unknown] => [
					text(pair, 1),
					valueOf(first(pair, 2)),
				]),
			),
			status: { code: count(first(span, 15), 3), message: text(first(span, 15), 2) },
			scope: text(first(scope, 1), 1),
		})),
	);
}

/** Starts a trace collector (OTLP over HTTP in protobuf, as n8n exports). `hangs`: it never answers. */
export async function startOtlpReceiver({ hangs = false }: { hangs?: boolean } = {}) {
	const spans: ExportedSpan[] = [];
	const server = await startScripted(({ method, bytes }, response) => {
		if (method === 'POST') spans.push(...spansIn(bytes));
		if (!hangs) response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
	});
	return { ...server, spans };
}
