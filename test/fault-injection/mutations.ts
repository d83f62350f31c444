/** Random mutations of responses, the same for the same seed. */
import { zlib } from '../support/node-builtins';
import { chunk, randomBytes, randomFrom } from './faults';
import type { AnswerForm } from './fault-offsets';
import { headOf, type RecordedAnswer } from './recording';

/** Bytes to send, with pauses between them, and the end of the connection. */
export interface Script {
	pieces: Array<{ bytes: Buffer; waitMs: number }>;
	/** `open`: the connection stays open. */
	end: 'open' | 'fin' | 'rst';
	/** Names of the mutations, for failure messages. */
	done: string[];
}

/** A random source with the choices that mutations need. */
export class Dice {
	readonly next: () => number;

	constructor(seed: number) {
		this.next = randomFrom(seed);
	}

	below(count: number): number {
		return Math.floor(this.next() * count);
	}

	pick<T>(list: readonly T[]): T {
		return list[this.below(list.length)]!;
	}

	chance(share: number): boolean {
		return this.next() < share;
	}
}

interface Draft {
	status: number;
	reason: string;
	headers: Array<[string, string]>;
	body: Buffer;
	framing: 'chunked' | 'length' | 'close';
	/** Added to Content-Length. */
	lengthError: number;
	chunkSizes?: string;
}

type Change = (draft: Draft, dice: Dice, echo: string) => void;

const setHeader = ({ headers }: Draft, name: string, value: string): void => {
	const at = headers.findIndex(([known]) => known.toLowerCase() === name.toLowerCase());
	if (at >= 0) headers.splice(at, 1);
	headers.push([name, value]);
};

const STATUSES = [
	100, 101, 103, 200, 201, 202, 203, 204, 205, 206, 226, 299, 300, 301, 302, 303, 304, 307, 308,
	400, 401, 402, 403, 404, 405, 407, 408, 409, 413, 415, 418, 422, 429, 431, 451, 499, 500, 501,
	502, 503, 504, 507, 520, 524, 530, 599, 600, 999, 0,
];
const TYPES = [
	'text/event-stream',
	'application/json',
	'application/x-ndjson',
	'text/html; charset=utf-8',
	'text/plain',
	'image/png',
	'audio/mpeg',
	'application/octet-stream',
	'multipart/form-data; boundary=x',
	'',
	';;;',
	'application/json; charset=utf-16',
];

/** Changes of the whole response. */
const CHANGES: Readonly<Record<string, Change>> = {
	status: (draft, dice) => {
		draft.status = dice.pick(STATUSES);
		draft.reason = dice.pick(['', 'OK', 'Nope', 'x'.repeat(500)]);
	},
	type: (draft, dice) => setHeader(draft, 'Content-Type', dice.pick(TYPES)),
	'length too small': (draft, dice) => {
		draft.framing = 'length';
		draft.lengthError = -1 - dice.below(Math.max(1, draft.body.length));
	},
	'length too large': (draft, dice) => {
		draft.framing = 'length';
		draft.lengthError = 1 + dice.below(1_000_000);
	},
	'no framing': (draft) => {
		draft.framing = 'close';
	},
	'double headers': (draft, dice) => {
		draft.headers.push(
			...draft.headers.slice(0, 1 + dice.below(3)),
			['Content-Length', '5'],
			['Content-Type', dice.pick(TYPES)],
		);
	},
	'garbage chunk sizes': (draft, dice) => {
		draft.framing = 'chunked';
		draft.chunkSizes = dice.pick(['zz', '-5', 'ffffffffffffffff', '1;ext=1', '', '0x10', ' 5']);
	},
	'compressed garbage': (draft, dice) => {
		setHeader(
			draft,
			'Content-Encoding',
			dice.pick(['gzip', 'deflate', 'br', 'zstd', 'gzip, deflate', 'none']),
		);
		if (dice.chance(0.5)) draft.body = randomBytes(1 + dice.below(3_000), dice.next);
	},
	compressed: (draft, dice) => {
		const zipped = zlib.gzipSync(draft.body);
		setHeader(draft, 'Content-Encoding', 'gzip');
		draft.body = dice.chance(0.5) ? zipped : zipped.subarray(0, dice.below(zipped.length));
	},
	'header noise': (draft, dice) => {
		const noise = randomBytes(1 + dice.below(60), dice.next).toString('latin1');
		draft.headers.push([
			dice.pick(['X-Noise', 'Set-Cookie', 'Retry-After', 'Location', 'WWW-Authenticate']),
			dice.pick([noise, '-1', '1e99', 'Wed, 21 Oct 2015 07:28:00 GMT', 'http://', '/', '']),
		]);
	},
	redirect: (draft, dice) => {
		draft.status = dice.pick([301, 302, 303, 307, 308]);
		setHeader(
			draft,
			'Location',
			dice.pick(['/', 'http://127.0.0.1:9/', '//', 'ftp://x', ':::', '/v1/models']),
		);
	},
	'error with the secrets': (draft, dice, echo) => {
		draft.status = dice.pick([200, 400, 401, 403, 422, 500, 503]);
		const message = `Refused: ${echo}`;
		draft.body = Buffer.from(
			JSON.stringify(
				dice.pick<unknown>([
					{ error: { message, type: message, code: message } },
					{ error: message },
					{ detail: [{ loc: ['header', message], msg: message }] },
					{ code: 'unauthorized', message, status: 401 },
					{ message: { nested: message } },
					[message],
					message,
				]),
			),
		);
	},
	'page with the secrets': (draft, dice, echo) => {
		draft.status = dice.pick([200, 401, 403, 404, 502]);
		draft.body = Buffer.from(
			`<html><title>${echo}</title><body>${echo}<!-- ${echo} --></body></html>`,
		);
	},
	'header with the secrets': (draft, dice, echo) => {
		draft.status = dice.pick([200, 302, 401]);
		draft.headers.push([
			dice.pick(['WWW-Authenticate', 'X-Debug', 'Server']),
			`Bearer error="${echo.replace(/[\r\n]/g, ' ')}"`,
		]);
		if (draft.status === 302)
			setHeader(draft, 'Location', `/login?back=${encodeURIComponent(echo)}`);
	},
	'deep JSON': (draft, dice) => {
		draft.body = Buffer.from(
			dice.pick([
				'['.repeat(50_000),
				'{"a":'.repeat(20_000),
				'[[[[]]]]',
				'{}',
				'[]',
				'null',
				'"',
				'1e400',
			]),
		);
	},
	'JSON of wrong types': (draft, dice) => {
		const wrong = dice.pick([
			'null',
			'[]',
			'{}',
			'""',
			'-1',
			'true',
			'1e308',
			'[null]',
			'{"a":null}',
		]);
		const names = draft.body.toString('latin1').match(/"[a-z_]+":/g) ?? [];
		if (names.length === 0) return;
		const name = dice.pick(names);
		const text = draft.body.toString('utf8');
		draft.body = Buffer.from(
			text.replace(
				new RegExp(
					`${name}\\s*(?:"(?:[^"\\\\]|\\\\.)*"|[\\d.e+-]+|true|false|null|\\[[^\\[\\]]*\\]|\\{[^{}]*\\})`,
				),
				`${name}${wrong}`,
			),
		);
	},
	'no body': (draft) => {
		draft.body = Buffer.alloc(0);
	},
};

type ByteChange = (bytes: Buffer, dice: Dice) => Buffer;

/** Mutations of any bytes. */
const BYTE_CHANGES: Readonly<Record<string, ByteChange>> = {
	cut: (bytes, dice) => bytes.subarray(0, dice.below(bytes.length + 1)),
	flip: (bytes, dice) => {
		const flipped = Buffer.from(bytes);
		for (let count = 1 + dice.below(8); count > 0 && flipped.length > 0; count -= 1)
			flipped[dice.below(flipped.length)]! ^= 1 << dice.below(8);
		return flipped;
	},
	insert: (bytes, dice) => {
		const at = dice.below(bytes.length + 1);
		const noise = dice.pick([
			randomBytes(1 + dice.below(200), dice.next),
			Buffer.from('\n\n'),
			Buffer.from('\r\n\r\n'),
			Buffer.from('data: [DONE]\n\n'),
			Buffer.from('data: {}\n\n'),
			Buffer.from('event: error\ndata: null\n\n'),
			Buffer.from('\u0000'.repeat(50)),
			Buffer.from('0\r\n\r\n'),
			Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
		]);
		return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
	},
	duplicate: (bytes, dice) => {
		const [one, other] = [dice.below(bytes.length + 1), dice.below(bytes.length + 1)].sort(
			(a, b) => a - b,
		) as [number, number];
		return Buffer.concat([
			bytes.subarray(0, other),
			bytes.subarray(one, other),
			bytes.subarray(other),
		]);
	},
	remove: (bytes, dice) => {
		const [one, other] = [dice.below(bytes.length + 1), dice.below(bytes.length + 1)].sort(
			(a, b) => a - b,
		) as [number, number];
		return Buffer.concat([bytes.subarray(0, one), bytes.subarray(other)]);
	},
};

export interface MutateOptions {
	form: AnswerForm;
	/** Request headers with the secrets, which servers echo in errors. */
	echo: string;
	/** Whether the connection may stay open at the end, since a timeout ends the wait soon. */
	mayStayOpen: boolean;
}

/** A recorded response with one to four mutations. */
export function mutated(
	answer: RecordedAnswer,
	dice: Dice,
	{ form, echo, mayStayOpen }: MutateOptions,
): Script {
	const done: string[] = [];
	const draft: Draft = {
		...answer,
		headers: [...answer.headers],
		framing: dice.pick(['chunked', 'chunked', 'length', 'close']),
		lengthError: 0,
	};
	for (let count = dice.below(3); count > 0; count -= 1) {
		const name = dice.pick(Object.keys(CHANGES));
		CHANGES[name]!(draft, dice, echo);
		done.push(name);
	}
	const hasEcho = done.some((name) => name.includes('secrets'));
	let bytes = onTheWire(draft, dice);
	// A mutated secret is another one, or a part that cannot be distinguished from other text.
	for (let count = hasEcho ? 0 : dice.below(4); count > 0; count -= 1) {
		const name = dice.pick(Object.keys(BYTE_CHANGES));
		bytes = BYTE_CHANGES[name]!(bytes, dice);
		done.push(name);
	}
	if (!hasEcho && dice.chance(0.1) && (form === 'sse' || form === 'dify' || form === 'lines')) {
		const line = bytes.lastIndexOf('\n', dice.below(bytes.length + 1)) + 1;
		bytes = Buffer.concat([
			bytes.subarray(0, line),
			Buffer.from(`error: ${echo}\n`),
			bytes.subarray(line),
		]);
		done.push('line with the secrets');
	}
	const pieces = split(bytes, dice);
	if (pieces.length > 1) done.push(`${pieces.length} pieces`);
	const end = mayStayOpen && dice.chance(0.04) ? 'open' : dice.chance(0.15) ? 'rst' : 'fin';
	return { pieces, end, done: [...done, end] };
}

function onTheWire(draft: Draft, dice: Dice): Buffer {
	const { framing, body, lengthError, chunkSizes } = draft;
	const line =
		framing === 'chunked'
			? 'Transfer-Encoding: chunked'
			: framing === 'length'
				? `Content-Length: ${Math.max(0, body.length + lengthError)}`
				: 'Connection: close';
	const head = Buffer.from(headOf(draft, line), 'latin1');
	if (framing !== 'chunked') return Buffer.concat([head, body]);
	const size = 1 + dice.below(Math.max(1, body.length));
	const chunks: Buffer[] = [];
	for (let at = 0; at < body.length; at += size) chunks.push(chunk(body.subarray(at, at + size)));
	if (chunkSizes !== undefined && chunks.length > 0) {
		const wrong = dice.below(chunks.length);
		chunks[wrong] = Buffer.concat([Buffer.from(`${chunkSizes}\r\n`), chunks[wrong]!]);
	}
	return Buffer.concat([head, ...chunks, Buffer.from('0\r\n\r\n')]);
}

/** Chunks split at any byte, with short pauses before some of them. */
function split(bytes: Buffer, dice: Dice): Script['pieces'] {
	const count = dice.pick([1, 1, 1, 2, 3, 5, 20]);
	const cuts = Array.from({ length: count - 1 }, () => dice.below(bytes.length + 1)).sort(
		(a, b) => a - b,
	);
	return [0, ...cuts].map((start, at) => ({
		bytes: bytes.subarray(start, cuts[at] ?? bytes.length),
		waitMs: dice.chance(0.2) ? dice.below(120) : 0,
	}));
}
