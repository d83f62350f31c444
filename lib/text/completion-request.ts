import { parameterFields } from '../chat/request/parameters';
import type { ChatParameters } from '../chat/types';
import { nativeOptions, sortExtraBody } from '../chat/request/ollama-options';
import { invalidInput } from '../errors/failure';
import type { Framing, ServerAddress } from '../http/types';
import { type KindName, kindOf } from '../servers/kinds';
import type { CompletionRoute } from '../servers/kinds/chat-abilities';
import { isFilled, type JsonRecord } from '../values';

/** Continues a prompt, which is a text or its token IDs. */
export interface CompleteTask {
	prompt: string | number[];
}

/** Fills in the gap between two texts. */
interface FillInTask {
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
	json: JsonRecord;
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
	task: JsonRecord,
	{ model, parameters, logprobs = 0, returnTokens = false }: CompletionOptions,
): CompletionRequest {
	const { max_tokens: limit, ...fields } = parameterFields(parameters, kind);
	// A stream leaves out the first tokens of a character that takes several (docs/protocols/llama-server.md 3.7).
	const json: JsonRecord = { model, ...task, stream: !returnTokens, ...fields };
	if (limit !== undefined) json.n_predict = limit;
	if (logprobs > 0) json.n_probs = logprobs;
	if (returnTokens) json.return_tokens = true;
	return { url, framing: 'sse', json: { ...json, ...parameters.extraBody } };
}

/** llama-server fails with 500 if prefix or suffix is missing, so both are always sent. */
function infillRequest(
	{ root }: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	options: CompletionOptions,
): CompletionRequest {
	const { prefix, suffix, beginning, extra } = task as FillInTask;
	const fields: JsonRecord = { input_prefix: prefix, input_suffix: suffix };
	if (extra.length > 0) fields.input_extra = extra;
	if (beginning !== '') fields.prompt = beginning;
	return nativeRequest(`${root}/infill`, kind, fields, options);
}

function openAiRequest(
	{ api }: ServerAddress,
	kind: KindName,
	task: CompletionTask,
	{ model, parameters, logprobs = 0 }: CompletionOptions,
): CompletionRequest {
	const fields = 'prefix' in task ? gapFields(task) : task;
	const json: JsonRecord = {
		model,
		...fields,
		stream: true,
		stream_options: { include_usage: true },
		...parameterFields(parameters, kind),
	};
	if (logprobs > 0) json.logprobs = logprobs;
	Object.assign(json, parameters.extraBody);
	return { url: `${api}/completions`, framing: 'sse', json };
}

function gapFields({ prefix, suffix, beginning }: FillInTask) {
	return { prompt: prefix + beginning, suffix };
}

/** `raw`: the prompt as it is, without the template of the model. */
function ollamaRequest(
	{ root }: ServerAddress,
	_kind: KindName,
	task: CompletionTask,
	{ model, parameters, logprobs = 0 }: CompletionOptions,
): CompletionRequest {
	const fields = 'prefix' in task ? gapFields(task) : { prompt: textOnly(task.prompt), raw: true };
	const json: JsonRecord = { model, ...fields, stream: true };
	const options = nativeOptions(parameters);
	if (isFilled(options)) json.options = options;
	if (parameters.keepAlive !== undefined) json.keep_alive = parameters.keepAlive;
	if (logprobs > 0) Object.assign(json, { logprobs: true, top_logprobs: logprobs });
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const extraFields = { ...sortExtraBody(parameters.extraBody).fields };
	delete extraFields.context;
	return { url: `${root}/api/generate`, framing: 'ndjson', json: { ...json, ...extraFields } };
}

function textOnly(prompt: string | number[]): string {
	if (typeof prompt === 'string') return prompt;
	throw invalidInput(
		'This server takes a prompt as text only, not as tokens',
		'Give the text of the prompt.',
	);
}
