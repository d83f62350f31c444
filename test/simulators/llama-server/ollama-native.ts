/** Ollama's own `/api/chat` after the recordings of 0.17.4 (docs/protocols/ollama.md 4). */
import type { Write } from '../wire-reply';
import type { ChatTask, Json } from './chat';
import { SimError } from './errors';
import { answerOf, type Job, paced, totals } from './generate';
import { stringify } from './json';
import { looseTask } from './other-servers';
import type { SimModel } from './options';
import type { Delta, GenerationOptions, ToolCallDelta } from './reply';
import { randomAlphanumerics } from './text';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const nativeError = (status: number, message: string): SimError =>
	new SimError(status, { error: message });

/** Go's type names in errors, by option. */
const OPTION_TYPES: Readonly<Record<string, string>> = {
	...Object.fromEntries(
		[
			'temperature',
			'top_p',
			'min_p',
			'typical_p',
			'repeat_penalty',
			'presence_penalty',
			'frequency_penalty',
		].map((name) => [name, 'float32']),
	),
	...Object.fromEntries(
		[
			'num_ctx',
			'num_predict',
			'num_keep',
			'num_batch',
			'num_gpu',
			'num_thread',
			'main_gpu',
			'top_k',
			'seed',
			'repeat_last_n',
		].map((name) => [name, 'integer']),
	),
	use_mmap: 'boolean',
	stop: 'array',
};

const fits = (value: unknown, type: string): boolean =>
	type === 'array'
		? Array.isArray(value)
		: type === 'boolean'
			? typeof value === 'boolean'
			: typeof value === 'number';

const DURATION = /^-?(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/;

const goType = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

/** Checks of Go's JSON decoder, which come before the model is looked up. */
const checkShape = (body: Json): void => {
	if ('messages' in body && !Array.isArray(body.messages))
		throw nativeError(
			400,
			`json: cannot unmarshal ${goType(body.messages)} into Go struct field ChatRequest.messages of type []api.Message`,
		);
	for (const message of (body.messages ?? []) as Json[]) {
		if (
			message.content !== undefined &&
			message.content !== null &&
			typeof message.content !== 'string'
		)
			throw nativeError(
				400,
				`json: cannot unmarshal ${goType(message.content)} into Go struct field ChatRequest.messages.content of type string`,
			);
		for (const image of (message.images ?? []) as unknown[]) {
			const bad = text(image).search(/[^A-Za-z0-9+/=]/);
			if (bad >= 0) throw nativeError(400, `illegal base64 data at input byte ${bad}`);
		}
		for (const { function: fn } of (message.tool_calls ?? []) as Array<{ function?: Json }>) {
			if (typeof fn?.arguments === 'string')
				throw nativeError(400, "Value looks like object, but can't find closing '}' symbol");
		}
	}
	const { keep_alive: keepAlive, think } = body;
	if (typeof keepAlive === 'string' && !DURATION.test(keepAlive))
		throw nativeError(
			400,
			/^-?\d+$/.test(keepAlive)
				? `time: missing unit in duration ${JSON.stringify(keepAlive)}`
				: `time: invalid duration ${JSON.stringify(keepAlive)}`,
		);
	if (typeof think === 'string' && !['low', 'medium', 'high'].includes(think))
		throw nativeError(
			400,
			`invalid think value: ${JSON.stringify(think)} (must be "high", "medium", "low", true, or false)`,
		);
	if (
		think !== undefined &&
		think !== null &&
		typeof think !== 'boolean' &&
		typeof think !== 'string'
	)
		throw nativeError(
			400,
			'think must be a boolean or string ("high", "medium", "low", true, or false)',
		);
};

const checkModel = ({ think, tools }: Json, model: SimModel): void => {
	const assertCapability = (capability: 'tools' | 'thinking', name: string): void => {
		if (!model[capability]) throw nativeError(400, `${name} does not support ${capability}`);
	};
	if (model.embedding) throw nativeError(400, `"${model.id}" does not support chat`);
	if (think === true || typeof think === 'string') assertCapability('thinking', `"${model.id}"`);
	if (typeof think === 'string' && !model.id.includes('gpt-oss'))
		throw nativeError(400, `think value ${JSON.stringify(think)} is not supported for this model`);
	if (Array.isArray(tools) && tools.length > 0)
		assertCapability('tools', `registry.ollama.ai/library/${model.id}:latest`);
};

const checkOptions = (options: Json): void => {
	for (const [name, value] of Object.entries(options)) {
		const type = OPTION_TYPES[name];
		if (type !== undefined && value !== null && !fits(value, type))
			throw nativeError(500, `option ${JSON.stringify(name)} must be of type ${type}`);
	}
};

const checkFormat = (format: unknown): void => {
	if (format === undefined || format === null || format === '' || format === 'json') return;
	if (typeof format !== 'object')
		throw nativeError(
			500,
			`invalid format: ${JSON.stringify(JSON.stringify(format))}; expected "json" or a valid JSON Schema object`,
		);
	const { type } = format as Json;
	if (
		type !== undefined &&
		!['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'].includes(text(type))
	)
		throw nativeError(500, 'invalid JSON schema in format');
};

interface NativeTask extends ChatTask {
	/** Tokens of context that it runs with. */
	contextSize: number;
	/** Whether the last message alone exceeds the context. */
	isCutOff: boolean;
	/** Only load or unload the model, without generation. */
	loadOnly?: 'load' | 'unload';
}

/** Parses a body of `/api/chat`, with Ollama's checks in its order. */
export const nativeTask = (body: Json, findModel: () => SimModel, nCtx: number): NativeTask => {
	checkShape(body);
	if (text(body.model) === '') throw nativeError(400, 'model is required');
	if (typeof body.top_logprobs === 'number' && (body.top_logprobs < 0 || body.top_logprobs > 20))
		throw nativeError(400, 'top_logprobs must be between 0 and 20');
	const model = findModel();
	const options = (body.options ?? {}) as Json;
	const messages = (body.messages ?? []) as Json[];
	checkModel(body, model);
	checkOptions(options);
	const requestedContext =
		typeof options.num_ctx === 'number' ? Math.trunc(options.num_ctx) : (model.nCtx ?? nCtx);
	const contextSize = Math.min(requestedContext, nCtx);
	const task = looseTask({
		...body,
		...(typeof options.num_predict === 'number' && options.num_predict > 0
			? { max_tokens: options.num_predict }
			: {}),
	});
	const last = messages.at(-1);
	const isCutOff = last !== undefined && text(last.content).length > contextSize;
	if (body.truncate === false && task.prompt.length > contextSize)
		throw nativeError(400, 'the input length exceeds the context length');
	if (messages.length > 0) checkFormat(body.format);
	return {
		...task,
		stream: body.stream !== false,
		schema:
			typeof body.format === 'object' && body.format !== null ? (body.format as Json) : undefined,
		thinking: model.thinking === true && body.think !== false,
		stop: Array.isArray(options.stop) ? options.stop.map(String) : [],
		contextSize,
		isCutOff,
		...(messages.length > 0 ? {} : { loadOnly: body.keep_alive === 0 ? 'unload' : 'load' }),
	};
};

/** Answer to a message that exceeds the context: no text, and a prompt of exactly the context size. */
export const CUT_OFF = (contextSize: number): GenerationOptions => ({
	usage: { prompt: contextSize, completion: 1 },
});

const lineHead = (model: string, created: number): object => ({
	model,
	created_at: new Date(created * 1000).toISOString(),
});

/** Fields in the order of Go's struct, without empty ones. */
const ending = (job: Job): object => {
	const { usage, timings, finish } = totals(job, job.leases[0]!);
	const nanoseconds = (ms: number): number => Math.round(ms * 1e6);
	const [prompt, predicted] = [timings.prompt_ms.value, timings.predicted_ms.value];
	const loaded = nanoseconds(job.options.loadMs ?? 25);
	return {
		done: true,
		done_reason: finish === 'length' ? 'length' : 'stop',
		total_duration: nanoseconds(prompt + predicted) + loaded,
		load_duration: loaded,
		prompt_eval_count: usage.prompt,
		prompt_eval_duration: nanoseconds(prompt) || 1,
		eval_count: usage.completion,
		...(answerIsEmpty(job) ? {} : { eval_duration: nanoseconds(predicted) || 1 }),
	};
};

const answerIsEmpty = (job: Job): boolean => {
	const { content, reasoning, calls } = answerOf(job);
	return content === '' && reasoning === '' && calls.length === 0;
};

export const loadLine = (model: string, reason: 'load' | 'unload'): object => ({
	...lineHead(model, Math.floor(Date.now() / 1000)),
	message: { role: 'assistant', content: '' },
	done: true,
	done_reason: reason,
});

/** Whole calls, each with its own ID and its index in the answer. */
const objectCalls = (
	calls: ReadonlyArray<{ name?: string; arguments: string }>,
	from = 0,
): object[] =>
	calls.map((call, index) => ({
		id: `call_${randomAlphanumerics(8, Math.floor(Math.random() * 2 ** 31)).toLowerCase()}`,
		function: {
			index: from + index,
			name: call.name,
			arguments: JSON.parse(call.arguments || '{}') as unknown,
		},
	}));

const messageOf = (content: string, reasoning: string, calls: object[]): object => ({
	role: 'assistant',
	content,
	...(reasoning === '' ? {} : { thinking: reasoning }),
	...(calls.length === 0 ? {} : { tool_calls: calls }),
});

/** The non-streamed answer. */
export const wholeLine = (job: Job): object => {
	const { content, reasoning, calls } = answerOf(job);
	const { meta } = job;
	return {
		...lineHead(meta.model, meta.created),
		message: messageOf(content, reasoning, objectCalls(calls)),
		...ending(job),
	};
};

const callsIn = (calls: readonly ToolCallDelta[] = []) =>
	calls.map((call) => ({ name: call.function?.name, arguments: text(call.function?.arguments) }));

/**
 * The lines of a stream. A call truncated by the limit is text in the last line, otherwise that line is empty (recorded).
 */
export async function* ndjson(job: Job): AsyncGenerator<Write> {
	const head = lineHead(job.meta.model, job.meta.created);
	const line = (rest: object): Write => `${stringify({ ...head, ...rest })}\n`;
	let calls = 0;
	for await (const item of paced(job)) {
		if ('write' in item) {
			yield item.write;
			continue;
		}
		const { content, reasoning, tool_calls: made }: Delta = item.delta;
		const whole = objectCalls(callsIn(made), calls);
		calls += whole.length;
		yield line({ message: messageOf(content ?? '', reasoning ?? '', whole), done: false });
	}
	if (job.signal.aborted) return;
	if (job.options.error) {
		yield `${stringify({ error: job.options.error.message })}\n`;
		return;
	}
	if (job.options.finish === false) return;
	yield line({ message: messageOf('', '', []), ...ending(job) });
}
