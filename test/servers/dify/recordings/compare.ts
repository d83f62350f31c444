import type { HttpFixture } from '../../../support/streams';

/** The compared parts of an answer. */
export interface Answer {
	status: number;
	headers: Array<[name: string, value: string]>;
	body: Buffer;
}

/** Headers that a client may use. The others are CORS, or belong to the connection. */
const HEADERS = [
	'content-type',
	'content-disposition',
	'cache-control',
	'accept-ranges',
	'www-authenticate',
	'allow',
	'location',
	'retry-after',
	'x-version',
	'x-env',
	'x-workflow-run-id',
];

const NIL = '00000000-0000-0000-0000-000000000000';
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** The kind of a value: clients would read two kinds differently. */
export function kindOf(value: unknown): string {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'list';
	if (typeof value !== 'string') return typeof value;
	if (value === '') return 'empty text';
	if (value === NIL) return 'nil UUID';
	if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(value)) return 'UUID';
	if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(value)) return 'ISO time without zone';
	if (/^-?\d+(?:\.\d+)?(?:E-?\d+)?$/.test(value)) return 'number as text';
	if (/^https?:\/\//.test(value)) return 'URL';
	return 'text';
}

/** Error texts are compared exactly, except for IDs, addresses and times. */
function words(text: string): string {
	return text
		.replace(UUID, '<id>')
		.replace(/req_id: [0-9a-f]+/g, 'req_id: <id>')
		.replace(/127\.0\.0\.1:\d+/g, '<host>');
}

/** Fields whose values clients use: compared exactly. Others need only the same kind of value. */
const EXACT = new Set([
	...[
		'event',
		'code',
		'status',
		'message',
		'error',
		'mode',
		'result',
		'reason',
		'value_type',
		'type',
	],
	...[
		'index',
		'position',
		'limit',
		'currency',
		'from_source',
		'total_price',
		'prompt_price',
		'completion_price',
	],
]);

function isExact(key: string, value: unknown): boolean {
	return typeof value === 'boolean' || EXACT.has(key);
}

function difference(
	path: string,
	key: string,
	recorded: unknown,
	simulated: unknown,
	out: string[],
): void {
	const [one, other] = [kindOf(recorded), kindOf(simulated)];
	if (one !== other) {
		out.push(`${path}: ${one} was recorded, the simulator sends ${other}`);
	} else if (Array.isArray(recorded) && Array.isArray(simulated)) {
		if (recorded.length !== simulated.length) {
			out.push(
				`${path}: ${recorded.length} entries were recorded, the simulator sends ${simulated.length}`,
			);
		}
		for (const [at, each] of recorded.slice(0, simulated.length).entries()) {
			difference(`${path}[${at}]`, key, each, simulated[at], out);
		}
	} else if (one === 'object') {
		objects(path, recorded as object, simulated as object, out);
	} else if (isExact(key, recorded) && words(String(recorded)) !== words(String(simulated))) {
		out.push(
			`${path}: ${JSON.stringify(recorded)} was recorded, the simulator sends ${JSON.stringify(simulated)}`,
		);
	}
}

function objects(path: string, recorded: object, simulated: object, out: string[]): void {
	const sent = new Map(Object.entries(simulated));
	for (const [key, value] of Object.entries(recorded)) {
		if (sent.has(key)) difference(`${path}.${key}`, key, value, sent.get(key), out);
		else out.push(`${path}.${key}: was recorded, the simulator does not send it`);
	}
	for (const key of sent.keys()) {
		if (!(key in recorded)) out.push(`${path}.${key}: the simulator sends it, it was not recorded`);
	}
}

export interface StreamEvent extends Record<string, unknown> {
	event: string;
}

/**
 * The events of a stream. Consecutive pings count as one; pings after the first event are dropped, since they depend on
 * timing.
 */
export function eventsOf(body: Buffer): StreamEvent[] {
	const events: StreamEvent[] = [];
	for (const block of body.toString('utf8').split('\n\n')) {
		if (block === 'event: ping' && events.length === 0) events.push({ event: 'ping' });
		else if (block.startsWith('data: '))
			events.push(JSON.parse(block.slice('data: '.length)) as StreamEvent);
	}
	return events;
}

/** `message × 4` for four in a row. */
function runLengths(events: StreamEvent[]): string {
	const runs: Array<[name: string, count: number]> = [];
	for (const { event } of events) {
		const last = runs.at(-1);
		if (last?.[0] === event) last[1]++;
		else runs.push([event, 1]);
	}
	return runs.map(([name, count]) => (count === 1 ? name : `${name} × ${count}`)).join(', ');
}

/** Formatting of JSON, which matters to clients that match text. */
function style(body: string): string {
	const blanks = /^[[{]"[^"]*": /.test(body) ? 'blanks' : 'no blanks';
	const slashes = body.includes('\\/')
		? 'slashes escaped'
		: /[^\\]\//.test(body)
			? 'slashes bare'
			: 'no slashes';
	return `${blanks}, ${slashes}, ${body.endsWith('\n') ? 'line end' : 'no line end'}, ${/[\u0080-\uffff]/.test(body) ? 'UTF-8' : 'ASCII'}`;
}

function headerOf(answer: Answer, name: string): string | undefined {
	const found = answer.headers.find(([each]) => each.toLowerCase() === name)?.[1];
	return found
		?.replace(/127\.0\.0\.1:\d+/g, '<host>')
		.replace(UUID, '<id>')
		.replace(/\b[0-9a-f]{32}\b/g, '<id>');
}

function bodies(recorded: Answer, simulated: Answer, out: string[]): void {
	const type = headerOf(recorded, 'content-type') ?? '';
	if (type.startsWith('text/event-stream')) {
		const [one, other] = [eventsOf(recorded.body), eventsOf(simulated.body)];
		if (runLengths(one) === runLengths(other)) difference('events', '', one, other, out);
		else out.push(`events: recorded ${runLengths(one)}; the simulator sends ${runLengths(other)}`);
	} else if (type.startsWith('application/json')) {
		const [one, other] = [recorded.body.toString('utf8'), simulated.body.toString('utf8')];
		if (style(one) !== style(other))
			out.push(`JSON: ${style(one)}; the simulator: ${style(other)}`);
		if (one !== '' && other !== '') difference('body', '', JSON.parse(one), JSON.parse(other), out);
	} else if (type.startsWith('text/')) {
		if (words(recorded.body.toString('utf8')) !== words(simulated.body.toString('utf8')))
			out.push('body: another text');
	} else if ((recorded.body.length === 0) !== (simulated.body.length === 0)) {
		out.push(
			`body: ${recorded.body.length} bytes were recorded, the simulator sends ${simulated.body.length}`,
		);
	}
}

/** All differences between the recorded and the simulated answer, as sentences. */
export function differences(recorded: HttpFixture | Answer, simulated: Answer): string[] {
	const out: string[] = [];
	if (recorded.status !== simulated.status) {
		return [
			`status: ${recorded.status} was recorded, the simulator sends ${simulated.status} ${simulated.body.toString('utf8').slice(0, 300)}`,
		];
	}
	for (const name of HEADERS) {
		const [one, other] = [headerOf(recorded, name), headerOf(simulated, name)];
		if (one !== other)
			out.push(`${name}: ${one ?? 'none'} was recorded, the simulator sends ${other ?? 'none'}`);
	}
	if (out.some((each) => each.startsWith('content-type') && !each.includes('json'))) return out;
	bodies(recorded, simulated, out);
	return out;
}
