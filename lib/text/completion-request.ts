import { parameterFields } from '../chat/request/parameters';
import type { ChatParameters } from '../chat/types';
import { nativeOptions, sortExtraBody } from '../chat/request/ollama-options';
import { invalidInput } from '../errors/failure';
import type { Framing, ServerAddress } from '../http/types';
import { isIdentified, type KindName, kindOf } from '../servers/kinds';
import type { CompletionRoute } from '../servers/kinds/chat-abilities';
import { optional } from '../values';

/** Continues a prompt, which is a text or its token IDs. */
export interface CompleteTask {
	prompt: string | number[];
}

/** Fills in the gap between two texts. */
export interface FillInTask {
	prefix: string;
	suffix: string;
	/** Text after the prefix with which the answer shall begin (llama-server's `prompt`). */
	beginning: string;
	/** Other files of the project, for models trained with such context. */
	extra: ReadonlyArray<{ filename: string; text: string }>;
}

export type CompletionTask = CompleteTask | FillInTask;

export interface CompletionOptions {
	model: string;
	parameters: ChatParameters;
	/** How many of the likeliest tokens are returned with each token; 0 or undefined: none. */
	logprobs?: number;
	/** Whether token IDs are returned. */
	returnTokens?: boolean;
}

export interface CompletionRequest {
	url: string;
	framing: Framing;
	json: Record<string, unknown>;
}

type RequestMaker = (
	address: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	options: CompletionOptions,
) => CompletionRequest;

const MAKERS: Readonly<Record<CompletionRoute, RequestMaker>> = {
	'/completions': openAiRequest,
	'/completion': promptRequest,
	'/infill': infillRequest,
	'/api/generate': ollamaRequest,
};

/**
 * The request for a kind of server, on its native route where it has one, since only that supports everything.
 *
 * @throws {ServerError} of kind `invalidInput` for token IDs that the route cannot take
 */
export function completionRequest(
	address: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	options: CompletionOptions,
): CompletionRequest {
	const { prompt, fillIn } = kindOf(kind).completion;
	return MAKERS['prefix' in task ? fillIn : prompt](address, kind, task, options);
}

function promptRequest(
	{ root }: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	options: CompletionOptions,
): CompletionRequest {
	return nativeRequest(`${root}/completion`, kind, { ...task }, options);
}

function nativeRequest(
	url: string,
	kind: KindName,
	task: Record<string, unknown>,
	{ model, parameters, logprobs = 0, returnTokens = false }: CompletionOptions,
): CompletionRequest {
	const { max_tokens: limit, ...fields } = parameterFields(parameters, kind);
	return {
		url,
		framing: 'sse',
		json: {
			model,
			...task,
			stream: true,
			...fields,
			...optional({ n_predict: limit }),
			...(logprobs > 0 ? { n_probs: logprobs } : {}),
			...(returnTokens ? { return_tokens: true } : {}),
			...parameters.extraBody,
		},
	};
}

/** llama-server fails with 500 if prefix or suffix is missing, so both are always sent. */
function infillRequest(
	{ root }: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	options: CompletionOptions,
): CompletionRequest {
	const { prefix, suffix, beginning, extra } = task as FillInTask;
	const fields = {
		input_prefix: prefix,
		input_suffix: suffix,
		...(extra.length === 0 ? {} : { input_extra: extra }),
		...(beginning === '' ? {} : { prompt: beginning }),
	};
	return nativeRequest(`${root}/infill`, kind, fields, options);
}

function openAiRequest(
	{ api }: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	{ model, parameters, logprobs = 0 }: CompletionOptions,
): CompletionRequest {
	const fields =
		'prefix' in task ? { prompt: task.prefix + task.beginning, suffix: task.suffix } : { ...task };
	return {
		url: `${api}/completions`,
		framing: 'sse',
		json: {
			model,
			...fields,
			stream: true,
			// Small servers refuse fields that they do not know.
			...(isIdentified(kind) ? { stream_options: { include_usage: true } } : {}),
			...parameterFields(parameters, kind),
			...(logprobs > 0 ? { logprobs } : {}),
			...parameters.extraBody,
		},
	};
}

/** `raw`: the prompt as it is, without the template of the model. */
function ollamaRequest(
	{ root }: ServerAddress,
	_kind: KindName,
	task: CompletionTask,
	{ model, parameters, logprobs = 0 }: CompletionOptions,
): CompletionRequest {
	const options = nativeOptions(parameters);
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const fields = Object.entries(sortExtraBody(parameters.extraBody).fields).filter(
		([name]) => name !== 'context',
	);
	return {
		url: `${root}/api/generate`,
		framing: 'ndjson',
		json: {
			model,
			...('prefix' in task
				? { prompt: task.prefix + task.beginning, suffix: task.suffix }
				: { prompt: textOnly(task.prompt), raw: true }),
			stream: true,
			...(Object.keys(options).length === 0 ? {} : { options }),
			...optional({ keep_alive: parameters.keepAlive }),
			...(logprobs > 0 ? { logprobs: true, top_logprobs: logprobs } : {}),
			...Object.fromEntries(fields),
		},
	};
}

function textOnly(prompt: string | number[]): string {
	if (typeof prompt === 'string') return prompt;
	throw invalidInput(
		'This server takes a prompt as text only, not as tokens',
		'Give the text of the prompt.',
	);
}
