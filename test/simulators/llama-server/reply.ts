/** Scripted replies of tests. */
import type { HeaderList, Transport, WireReply, Write } from '../wire-reply';
import type { WireRequest } from '../raw-http';
import { argumentPieces, randomAlphanumerics, textPieces } from './text';

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';

/** One entry of `delta.tool_calls`. */
export interface ToolCallDelta {
	index?: number;
	id?: string;
	type?: string;
	function?: { name?: string; arguments?: unknown };
}

/** A `delta` of a chat stream. */
export interface Delta {
	role?: string;
	content?: string | null;
	reasoning_content?: string;
	reasoning?: string;
	tool_calls?: ToolCallDelta[];
	[key: string]: unknown;
}

/** What can come between deltas. */
export type SpecialStep =
	/** An event whose data is this JSON, or this text: `{ event: '[DONE]' }`, `{ event: '{"broken' }`. */
	| { event: object | string }
	/** Bytes outside any event. */
	| { raw: Write }
	/** A comment, such as `:` or `: keep-alive`. */
	| { comment: string }
	/** Prompt progress, with the role as llama-server sends it. */
	| { progress: { total: number; cache: number; processed: number; time_ms: number } }
	/** Silence for milliseconds or until a promise settles, with llama-server's pings. */
	| { wait: number | Promise<unknown> };

/** One step of a stream: a text is a content delta, any other object a delta that is sent unchanged. */
export type Step = string | Delta | SpecialStep;

export const isSpecial = (step: Step): step is SpecialStep =>
	typeof step === 'object' &&
	['event', 'raw', 'comment', 'progress', 'wait'].some((key) => key in step);

export interface GenerationOptions {
	/**
	 * Default: `tool_calls` if there are calls, otherwise `stop`. `false`: no finish chunk. `null`: a finish chunk without a
	 * reason.
	 */
	finish?: FinishReason | string | null | false;
	/** Sends `[DONE]` at the end. Default true. */
	done?: boolean;
	/** Token counts; missing ones are computed. */
	usage?: { prompt?: number; completion?: number; cached?: number };
	/** An error event after the steps; no finish follows. */
	error?: { message: string; code?: number; type?: string };
	/** Ollama: reported load time of the model in milliseconds. */
	loadMs?: number;
	/** The reply's `id` and `model`. */
	id?: string;
	model?: string;
}

export type ReplyOptions = GenerationOptions & Transport;

/** Text or calls of a complete generation: with checks, slot, prompt cache, stream or JSON. */
export interface GenerationReply {
	kind: 'generation';
	steps: Step[];
	/** Whether to translate it to the simulated server's format (`reasoning` for `reasoning_content`). */
	native: boolean;
	options: GenerationOptions;
	transport: Transport;
}

/** An answer that needs no slot and no valid request. */
export interface PlainReply {
	kind: 'plain';
	reply: WireReply;
	/** Whether to add the headers that the simulated server sends with every response. */
	dressed: boolean;
}

export type Reply = GenerationReply | PlainReply;
export type Scripted =
	| Reply
	| ((request: WireRequest) => Reply | undefined | Promise<Reply | undefined>);

const GENERATION_KEYS = ['finish', 'done', 'usage', 'error', 'loadMs', 'id', 'model'];

const generation = (
	steps: Step[],
	native: boolean,
	options: ReplyOptions = {},
): GenerationReply => {
	const entries = Object.entries(options);
	const own = entries.filter(([key]) => GENERATION_KEYS.includes(key));
	const rest = entries.filter(([key]) => !GENERATION_KEYS.includes(key));
	return {
		kind: 'generation',
		steps,
		native,
		options: Object.fromEntries(own) as GenerationOptions,
		transport: Object.fromEntries(rest) as Transport,
	};
};

const plain = (reply: WireReply, dressed = true): PlainReply => ({ kind: 'plain', reply, dressed });

const JSON_TYPE: HeaderList = [['Content-Type', 'application/json; charset=utf-8']];
const STREAM_TYPE: HeaderList = [
	['X-Accel-Buffering', 'no'],
	['Content-Type', 'text/event-stream'],
];

export interface ScriptedCall {
	name: string;
	/** An object, or the exact text. */
	arguments?: unknown;
	/** Default: 32 random alphanumerics, like llama-server. `null`: none is sent. */
	id?: string | null;
}

/**
 * How calls are split into deltas. `tokens`: in sequence, first delta with `arguments:"{"` (llama-server). `characters`:
 * the same, one character each. `interleaved`: 0, 1, 0, 1. `whole`: all calls in one delta (Ollama).
 * `late-arguments`: the first delta has no `arguments` key.
 */
export type CallStyle = 'tokens' | 'characters' | 'interleaved' | 'whole' | 'late-arguments';

const textOf = (value: unknown): string =>
	typeof value === 'string' ? value : JSON.stringify(value ?? {});

const callDeltas = (calls: ScriptedCall[], style: CallStyle): Delta[] => {
	const ids = calls.map((call, index) =>
		call.id === undefined ? randomAlphanumerics(32, index + 1) : call.id,
	);
	if (style === 'whole') {
		const whole = calls.map((call, index) => ({
			...(ids[index] === null ? {} : { id: ids[index] }),
			index,
			type: 'function',
			function: { name: call.name, arguments: textOf(call.arguments) },
		}));
		return [{ tool_calls: whole as ToolCallDelta[] }];
	}
	const perCall = calls.map((call, index): Delta[] => {
		const text = textOf(call.arguments);
		const pieces = style === 'characters' ? [...text] : argumentPieces(text);
		const first = style === 'late-arguments' ? undefined : pieces.shift();
		const id = ids[index];
		const opening: ToolCallDelta = {
			index,
			...(id === null ? {} : { id }),
			type: 'function',
			function: { name: call.name, ...(first === undefined ? {} : { arguments: first }) },
		};
		const following = pieces.map(
			(piece): Delta => ({ tool_calls: [{ index, function: { arguments: piece } }] }),
		);
		return [{ tool_calls: [opening] }, ...following];
	});
	if (style !== 'interleaved') return perCall.flat();
	const longest = Math.max(...perCall.map((deltas) => deltas.length));
	return Array.from({ length: longest }, (_, at) =>
		perCall.flatMap((deltas) => deltas.slice(at, at + 1)),
	).flat();
};

const body = (value: unknown): string =>
	typeof value === 'string' ? value : JSON.stringify(value);

/** Builders for `server.script(…)`. The last argument holds generation and transport options. */
export const reply = {
	/** A text answer, cut into token-like pieces. */
	text: (text: string, options?: ReplyOptions): GenerationReply =>
		generation(textPieces(text), true, options),

	/** Steps that are sent unchanged by every simulated server. */
	chunks: (steps: Step[], options?: ReplyOptions): GenerationReply =>
		generation(steps, false, options),

	/** Tool calls, optionally after text or thinking. */
	toolCalls: (
		calls: ScriptedCall[],
		options: ReplyOptions & { style?: CallStyle; text?: string; reasoning?: string } = {},
	): GenerationReply => {
		const { style = 'tokens', text, reasoning, ...rest } = options;
		const steps: Step[] = [
			...textPieces(reasoning ?? '').map((piece) => ({ reasoning_content: piece })),
			...(text === undefined ? [] : [text]),
			...callDeltas(calls, style),
		];
		return generation(steps, true, { finish: 'tool_calls', ...rest });
	},

	/** Thinking, then an optional answer. */
	reasoning: (thought: string, answer = '', options?: ReplyOptions): GenerationReply =>
		generation(
			[
				...textPieces(thought).map((piece) => ({ reasoning_content: piece })),
				...textPieces(answer),
			],
			true,
			options,
		),

	/** Role, finish, `[DONE]`, no text. */
	empty: (options?: ReplyOptions): GenerationReply => generation([], true, options),

	/** Any status with any body: an object becomes JSON. */
	error: (status: number, content: unknown = '', transport?: Transport): PlainReply =>
		plain({
			status,
			headers:
				typeof content === 'string' ? [['Content-Type', 'text/plain; charset=utf-8']] : JSON_TYPE,
			body: body(content),
			transport,
		}),

	/** An error in llama-server's envelope. */
	llamaError: (
		status: number,
		message: string,
		type = 'server_error',
		extra: object = {},
		transport?: Transport,
	): PlainReply =>
		plain({
			status,
			headers: JSON_TYPE,
			body: body({ error: { code: status, message, type, ...extra } }),
			transport,
		}),

	/** An HTML page, as of a proxy or a web interface. */
	html: (status: number, page: string, transport?: Transport): PlainReply =>
		plain({ status, headers: [['Content-Type', 'text/html']], body: page, transport }, false),

	/** A JSON body with status 200. */
	json: (content: unknown, transport?: Transport): PlainReply =>
		plain({ status: 200, headers: JSON_TYPE, body: body(content), transport }),

	redirect: (location: string, status = 307, transport?: Transport): PlainReply =>
		plain({ status, headers: [['Location', location]], body: '', transport }, false),

	/** A stream with the server's headers and exactly these writes as its body. */
	sse: (
		content: Write | Iterable<Write> | AsyncIterable<Write>,
		transport?: Transport,
	): PlainReply =>
		plain({
			status: 200,
			headers: STREAM_TYPE,
			body: content,
			transport: { framing: 'chunked', ...transport },
		}),

	/** Exactly these bytes instead of an HTTP response: a recorded fixture, or garbage. */
	raw: (bytes: Write | Iterable<Write>, transport?: Transport): PlainReply =>
		plain({ status: 200, headers: [], body: bytes, transport, verbatim: true }, false),

	/** Never answers. */
	silence: (): PlainReply =>
		plain({ status: 200, headers: [], transport: { cut: { at: 'start', how: 'silence' } } }, false),
};
