/** Scripted replies of tests. */
import type { HeaderList, Transport, WireReply, WireRequest, Write } from '../http-server';

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
}

/** Silence for milliseconds, or until a promise settles. */
export interface Pause {
	wait: number | Promise<unknown>;
}

/** One step of a generation: a text is a content delta. */
export type Step = string | Delta | Pause;

export const isPause = (step: Step): step is Pause => typeof step === 'object' && 'wait' in step;

export interface GenerationOptions {
	/** Default: `tool_calls` if there are calls, otherwise `stop`. `false`: no finish chunk. */
	finish?: string | false;
	/** Sends `[DONE]` at the end. Default true. */
	done?: boolean;
	/** An error event after the steps; no finish follows. */
	error?: { message: string; code?: number; type?: string };
	transport?: Transport;
	/** Tokens that the server claims to have generated. Default: those of the steps. */
	completionTokens?: number;
}

/** Text or calls of a complete generation, as a stream or as JSON. */
export interface GenerationReply {
	kind: 'generation';
	steps: Step[];
	/** Whether to translate it to the format of the simulated server. */
	native: boolean;
	options: GenerationOptions;
}

/** A response that needs no valid request. */
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

const generation = (
	steps: Step[],
	native: boolean,
	options: GenerationOptions = {},
): GenerationReply => ({ kind: 'generation', steps, native, options });

const plain = (reply: WireReply, dressed = true): PlainReply => ({ kind: 'plain', reply, dressed });

const JSON_TYPE: HeaderList = [['Content-Type', 'application/json; charset=utf-8']];

const toText = (value: unknown): string =>
	typeof value === 'string' ? value : JSON.stringify(value ?? {});

/** Pieces of about a token's length. */
const toPieces = (text: string): string[] =>
	text.match(/\s*[\p{L}\p{N}]{1,12}|\s+$|\s*\S/gsu) ?? [];

export interface ScriptedCall {
	name: string;
	/** An object, or the exact text. */
	arguments?: unknown;
	/** Default: 32 letters and digits, like llama-server. */
	id?: string;
}

/** Name and beginning of the arguments in the first delta, the rest in pieces, as llama-server streams a call. */
function toCallDeltas(call: ScriptedCall, index: number): Delta[] {
	const [first = '', ...rest] = toPieces(toText(call.arguments));
	const id = call.id ?? String(index).padStart(32, 'simulatedCall');
	const opening = { index, id, type: 'function', function: { name: call.name, arguments: first } };
	const following = rest.map((piece) => ({ index, function: { arguments: piece } }));
	return [opening, ...following].map((entry) => ({ tool_calls: [entry] }));
}

const toThoughts = (thought: string): Step[] =>
	toPieces(thought).map((piece) => ({ reasoning_content: piece }));

/** Builders for `server.script(…)`. */
export const reply = {
	/** A text, cut into pieces like tokens. */
	text: (text: string, options?: GenerationOptions): GenerationReply =>
		generation(toPieces(text), true, options),

	/** Steps that are sent unchanged by every simulated server. */
	chunks: (steps: Step[], options?: GenerationOptions): GenerationReply =>
		generation(steps, false, options),

	/** Tool calls, optionally after text or thinking. */
	toolCalls: (
		calls: ScriptedCall[],
		{
			text,
			reasoning = '',
			...options
		}: GenerationOptions & { text?: string; reasoning?: string } = {},
	): GenerationReply => {
		const steps = [
			...toThoughts(reasoning),
			...(text === undefined ? [] : [text]),
			...calls.flatMap(toCallDeltas),
		];
		return generation(steps, true, options);
	},

	/** Thinking, then an optional text. */
	reasoning: (thought: string, text = '', options?: GenerationOptions): GenerationReply =>
		generation([...toThoughts(thought), ...toPieces(text)], true, options),

	/** Finish and `[DONE]`, no text. */
	empty: (): GenerationReply => generation([], true),

	/** Any status with any body: an object becomes JSON. */
	error: (status: number, content: unknown = ''): PlainReply => {
		const isText = typeof content === 'string';
		const headers: HeaderList = isText ? [['Content-Type', 'text/plain']] : JSON_TYPE;
		return plain({ status, headers, body: toText(content) });
	},

	/** An error in llama-server's format. */
	llamaError: (status: number, message: string, type = 'server_error'): PlainReply =>
		plain({
			status,
			headers: JSON_TYPE,
			body: JSON.stringify({ error: { code: status, message, type } }),
		}),

	/** An HTML page, as of a proxy or a web interface. */
	html: (status: number, page: string): PlainReply =>
		plain({ status, headers: [['Content-Type', 'text/html']], body: page }, false),

	/** A JSON body with status 200. */
	json: (content: unknown): PlainReply =>
		plain({ status: 200, headers: JSON_TYPE, body: toText(content) }),

	redirect: (location: string, status = 307): PlainReply =>
		plain({ status, headers: [['Location', location]], body: '' }, false),

	/** A stream with exactly these writes as its body. */
	sse: (content: Write | AsyncIterable<Write>): PlainReply =>
		plain({
			status: 200,
			headers: [['Content-Type', 'text/event-stream']],
			body: content,
		}),

	/** Exactly these bytes instead of an HTTP response. */
	raw: (bytes: Iterable<Write>): PlainReply =>
		plain({ status: 200, headers: [], body: bytes, verbatim: true }, false),

	/** Never responds. */
	silence: (): PlainReply =>
		plain({ status: 200, headers: [], transport: { cut: { at: 'start', how: 'silence' } } }, false),
};
