import type { RawAnswer } from '../../support/raw-http-client';
import type { RecordedExchange } from './exchange';

const VARYING_HEADERS = /^(content-length|date|process-start-time-unix|x-request-id)$/i;

/** Fields whose values clients use: compared exactly. Others need only the same kind of value. */
const EXACT = new Set([
	...[
		'code',
		'done',
		'done_reason',
		'encoding_format',
		'error',
		'event',
		'finish_reason',
		'message',
		'model',
	],
	...[
		'n_ctx',
		'object',
		'owned_by',
		'param',
		'role',
		'status',
		'type',
		'success',
		'detail',
		'loc',
		'msg',
		'format',
	],
	...['task', 'language', 'detected_language'],
]);
/** Lists whose length depends on the tokenizer, the model or the server's options. */
const ANY_LENGTH_FIELDS = new Set([
	...[
		'args',
		'bytes',
		'context',
		'embedding',
		'embeddings',
		'logprobs',
		'probs',
		'tokens',
		'top_logprobs',
	],
]);

const kindOf = (value: unknown): string => {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'list';
	return value === '' ? 'empty text' : typeof value;
};

/** Replaces what depends on the machine, the time or the tokenizer. */
const normalizeText = (text: string): string =>
	text
		.replace(/127\.0\.0\.1:\d+|localhost:\d+/g, '<host>')
		.replace(/\b\d{4}-\d\d-\d\dT[\d:.]+(Z|[-+]\d\d:\d\d)/g, '<time>')
		.replace(/\b(chatcmpl|cmpl|call|resp|msg|rs|fc)[-_][\w-]+/g, '$1-<id>')
		.replace(/^(request|input) \(\d+ tokens\)/, '$1 (<n> tokens)')
		.replace(/this->size\(\) \(which is \d+\)/, 'this->size() (which is <n>)');

const quote = (value: unknown): string => JSON.stringify(value).slice(0, 200);

function difference(
	path: string,
	key: string,
	recorded: unknown,
	simulated: unknown,
	out: string[],
): void {
	const [one, other] = [kindOf(recorded), kindOf(simulated)];
	if (one !== other) {
		out.push(
			`${path}: ${one} was recorded (${quote(recorded)}), the simulator sends ${other} (${quote(simulated)})`,
		);
	} else if (Array.isArray(recorded) && Array.isArray(simulated)) {
		lists(path, key, recorded, simulated, out);
	} else if (one === 'object') {
		objects(path, recorded as object, simulated as object, out);
	} else if (
		(EXACT.has(key) || typeof recorded === 'boolean') &&
		normalizeText(String(recorded)) !== normalizeText(String(simulated))
	) {
		out.push(`${path}: ${quote(recorded)} was recorded, the simulator sends ${quote(simulated)}`);
	}
}

/** Numbers depend on the model; only missing ones (null) are compared. */
const numberKinds = (list: unknown[]): string =>
	list.length === 0
		? 'nothing'
		: list.every((value) => value === null)
			? 'nulls'
			: list.includes(null)
				? 'numbers and nulls'
				: list.every((value) => value === 0)
					? 'zeros'
					: 'numbers';

const isNumbers = (list: unknown[]): boolean =>
	list.every((value) => value === null || typeof value === 'number');

/** Whether a list's order is fixed: vectors are in order, ranked results depend on the model. */
const isInOrder = (list: unknown[]): boolean =>
	list.length > 1 &&
	list.every(
		(entry, at) =>
			entry !== null && typeof entry === 'object' && 'index' in entry && entry.index === at,
	);

function lists(
	path: string,
	key: string,
	recorded: unknown[],
	simulated: unknown[],
	out: string[],
): void {
	if (isNumbers(recorded) && isNumbers(simulated)) {
		const [one, other] = [numberKinds(recorded), numberKinds(simulated)];
		if (one !== other) out.push(`${path}: ${one} were recorded, the simulator sends ${other}`);
		return;
	}
	if (isInOrder(recorded) && !isInOrder(simulated))
		out.push(`${path}: was recorded in the order of \`index\``);
	const isOpen = ANY_LENGTH_FIELDS.has(key) && recorded.length > 0 && simulated.length > 0;
	if (!isOpen && recorded.length !== simulated.length) {
		out.push(
			`${path}: ${recorded.length} entries were recorded, the simulator sends ${simulated.length}`,
		);
	}
	const count = Math.min(recorded.length, simulated.length, isOpen ? 1 : Infinity);
	for (let at = 0; at < count; at++)
		difference(`${path}[${at}]`, key, recorded[at], simulated[at], out);
}

function objects(path: string, recorded: object, simulated: object, out: string[]): void {
	const [one, other] = [Object.keys(recorded), Object.keys(simulated)];
	const simulatedHeaders = new Map(Object.entries(simulated));
	for (const [key, value] of Object.entries(recorded)) {
		if (simulatedHeaders.has(key))
			difference(`${path}.${key}`, key, value, simulatedHeaders.get(key), out);
		else out.push(`${path}.${key}: was recorded, the simulator does not send it`);
	}
	const added = other.filter((key) => !one.includes(key));
	for (const key of added) out.push(`${path}.${key}: the simulator sends it, it was not recorded`);
	const common = other.filter((key) => one.includes(key));
	if (one.filter((key) => simulatedHeaders.has(key)).join() !== common.join())
		out.push(`${path}: the order ${one.join()} was recorded, the simulator sends ${other.join()}`);
}

type Event = { text: string } | { json: unknown };

const eventOf = (text: string): Event => {
	try {
		return { json: JSON.parse(text) as unknown };
	} catch {
		return { text };
	}
};

/** The lines of a stream: data of events, and other lines. */
const eventsOf = (body: string): Event[] =>
	body
		.split('\n')
		.filter((line) => line.trim() !== '')
		.map((line) => eventOf(line.replace(/^data: /, '')));

const shapeOf = (value: unknown): unknown => {
	if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
	if (value === null || typeof value !== 'object') return kindOf(value);
	return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
};

/** Merges consecutive events of one shape: their number depends on the model. */
function runsOf(events: Event[]): Event[] {
	const runs: Event[] = [];
	let last = '';
	for (const event of events) {
		const shape = 'text' in event ? event.text : JSON.stringify(shapeOf(event.json));
		if (shape !== last) runs.push(event);
		last = shape;
	}
	return runs;
}

function streams(recorded: string, simulated: string, out: string[]): void {
	const [one, other] = [runsOf(eventsOf(recorded)), runsOf(eventsOf(simulated))];
	if (one.length !== other.length)
		out.push(
			`events: recorded ${quote(one.map(titleOf))}, the simulator sends ${quote(other.map(titleOf))}`,
		);
	for (const [at, event] of one.slice(0, other.length).entries()) {
		const otherEvent = other[at]!;
		if ('json' in event && 'json' in otherEvent)
			difference(`events[${at}]`, '', event.json, otherEvent.json, out);
		else if (titleOf(event) !== titleOf(otherEvent))
			out.push(
				`events[${at}]: ${titleOf(event)} was recorded, the simulator sends ${titleOf(otherEvent)}`,
			);
	}
}

const titleOf = (event: Event): string =>
	'text' in event ? event.text : Object.keys(event.json ?? {}).join();

function bodies(type: string, recorded: string, simulated: string, out: string[]): void {
	if (/event-stream|ndjson/.test(type)) return streams(recorded, simulated, out);
	const [one, other] = [eventOf(recorded), eventOf(simulated)];
	if ('json' in one && 'json' in other) {
		if (recorded.endsWith('\n') !== simulated.endsWith('\n')) out.push('body: another end of line');
		difference('body', '', one.json, other.json, out);
	} else if (type.startsWith('text/plain; version=')) {
		// Metrics: names, helps and types.
		const names = (text: string): string => text.replace(/^(\w[\w:]*(?:\{[^}]*\})?) .*$/gm, '$1');
		if (names(recorded) !== names(simulated)) out.push('body: other metrics');
	} else if (normalizeText(recorded) !== normalizeText(simulated)) {
		out.push(`body: ${quote(recorded)} was recorded, the simulator sends ${quote(simulated)}`);
	}
}

const headersOf = (headers: ReadonlyArray<readonly [string, string]>): string =>
	headers
		.map(([name, value]) => `${name}: ${VARYING_HEADERS.test(name) ? '*' : normalizeText(value)}`)
		.join('\n');

/** All differences between the recorded and the simulated answer, as sentences. */
export function differences(
	{ method, answer: recorded }: RecordedExchange,
	simulated: RawAnswer,
): string[] {
	const body = simulated.body.toString('utf8');
	if (recorded.status !== simulated.status)
		return [
			`status: ${recorded.status} was recorded, the simulator sends ${simulated.status} ${body.slice(0, 300)}`,
		];
	const out: string[] = [];
	const [one, other] = [headersOf(recorded.headers), headersOf(simulated.headers)];
	if (one !== other) out.push(`headers: recorded\n${one}\nthe simulator sends\n${other}`);
	const type = recorded.headers.find(([name]) => /^content-type$/i.test(name))?.[1] ?? '';
	if (method === 'HEAD') return out;
	if (recorded.base64 !== undefined) {
		if ((recorded.base64 === '') !== (simulated.body.length === 0))
			out.push('body: there is one on one side only');
	} else {
		bodies(type, recorded.text ?? '', body, out);
	}
	return out;
}
